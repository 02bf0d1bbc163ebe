import { Command } from "commander";
import { deploymentCommands } from "../../sandbox/commands";
import { runToEnd } from "../../shared/runToEnd";
import { journalBackend } from "./backend";

const program = new Command("journal").description("up, preview and down with a journal in place of files");
deploymentCommands(journalBackend).forEach((command) => program.addCommand(command));

runToEnd(program);
