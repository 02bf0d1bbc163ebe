import { styleText } from "node:util";

import type { Chain, Link } from "./chain";

/** Writes it as indented text: what is further in was signed by what is further out. */
export function chainTable({ identity, servers, pods, unreadable }: Chain): string {
  return [
    ...section(
      "identity",
      identity.flatMap((link) => lines(link, "")),
    ),
    ...section(
      "webhooks and tap",
      servers.flatMap((link) => lines(link, "")),
    ),
    ...(unreadable.length === 0 ? [] : section("unreadable", unreadable)),
    ...(pods === undefined
      ? []
      : section("pods that have not converged", pods.length === 0 ? ["none"] : pods)),
  ]
    .join("\n")
    .trimEnd();
}

function section(title: string, content: readonly string[]): string[] {
  return [styleText("bold", title), "-".repeat(title.length), ...content, ""];
}

function lines(link: Link, indent: string): string[] {
  const { subject, places, keyId = "not said", signedBy, signerKeyId, life, signed } = link;
  const signer =
    signedBy === undefined
      ? styleText("red", "by nobody here")
      : `by ${signedBy}${signerKeyId === undefined || signedBy === "itself" ? "" : `, key ${signerKeyId}`}`;
  return [
    `${indent}${styleText("bold", subject)}`,
    `${indent}  in     ${places.join(", ")}`,
    `${indent}  key    ${keyId}`,
    `${indent}  signed ${signer}`,
    `${indent}  valid  ${life}`,
    ...signed.flatMap((below) => lines(below, `${indent}    `)),
  ];
}
