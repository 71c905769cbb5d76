// Lists the connections of a poller, adds one, or follows the orders of all shops.
//
//	orders -token-file data/admin.token list
//	orders -token-file data/admin.token add -name shop1 -url https://shop1.odoo.com ...
//	orders -token-file data/admin.token follow -journal orders.jsonl
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	var options Options
	flag.StringVar(&options.Server, "server", "127.0.0.1:50051", "HOST:PORT or unix:PATH")
	flag.StringVar(&options.TokenFile, "token-file", "", "file with the token")
	flag.StringVar(&options.CA, "ca", "", "PEM of the authority that signed the server's certificate: use TLS")
	flag.Parse()
	verbs := map[string]func(*Poller, []string) error{"list": list, "add": add, "follow": follow}
	run, ok := verbs[flag.Arg(0)]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: orders [flags] list|add|follow [flags]")
		os.Exit(2)
	}
	poller, err := Connect(options)
	if err == nil {
		defer poller.Close()
		err = run(poller, flag.Args()[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, Explain(err))
		os.Exit(1)
	}
}
