// Command cert-manager is all of cert-manager in one binary: its first argument names the program that it becomes. The
// three share nearly all of their packages, so they are linked once.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"

	cainjector "github.com/cert-manager/cert-manager/cmd/cainjector/app"
	controller "github.com/cert-manager/cert-manager/cmd/controller/app"
	"github.com/cert-manager/cert-manager/cmd/util"
	"github.com/cert-manager/cert-manager/cmd/webhook/app/options"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/server"
	"github.com/cert-manager/cert-manager/shim"
)

var programs = map[string]func(ctx context.Context) *cobra.Command{
	"controller": func(ctx context.Context) *cobra.Command {
		return controller.NewCommandStartCertManagerController(ctx.Done())
	},
	"webhook": webhookCommand,
	"cainjector": func(ctx context.Context) *cobra.Command {
		return cainjector.NewCommandStartInjectorController(ctx, os.Stdout, os.Stderr)
	},
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "the first argument must be controller, webhook or cainjector")
		os.Exit(2)
	}
	stop, exit := util.SetupExitHandler(util.GracefulShutdown)
	defer exit() // it may call os.Exit, so it is deferred first and runs last
	logf.InitLogs(flag.CommandLine)
	defer logf.FlushLogs()
	ctrl.SetLogger(logf.Log)
	command := programs[os.Args[1]](util.ContextWithStopCh(context.Background(), stop))
	command.SetArgs(os.Args[2:])
	command.Flags().AddGoFlagSet(flag.CommandLine)
	_ = flag.CommandLine.Parse(nil) // marks it as parsed; the command parses the arguments
	if err := command.Execute(); err != nil {
		logf.Log.Error(err, "error while executing")
		util.SetExitCode(err)
	}
}

// webhookCommand is the webhook with upstream's flags and one more: upstream listens on all addresses of the machine, where
// the webhooks of several sandboxes conflict.
func webhookCommand(ctx context.Context) *cobra.Command {
	config, err := options.NewWebhookConfiguration()
	if err != nil {
		panic(err) // the defaults are upstream's own
	}
	var address string
	command := &cobra.Command{
		Use:  "webhook",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			listen := func(s *server.Server) {
				s.ListenAddr, s.HealthzAddr = address+s.ListenAddr, address+s.HealthzAddr
			}
			s, err := shim.NewWebhookServer(logf.Log, options.WebhookFlags{}, *config, listen)
			if err != nil {
				return err
			}
			return s.Run(logf.NewContext(ctx, logf.Log, "webhook"))
		},
	}
	options.AddConfigFlags(command.Flags(), config)
	command.Flags().StringVar(&address, "listen-address", "", "the address to listen on; default all")
	return command
}
