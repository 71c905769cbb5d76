package main

import (
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"strings"

	"odoopoller/v1"
)

func show(connection *v1.Connection) {
	fmt.Println(connection.Id, connection.Name, connection.Odoo.Url)
}

// list shows all connections, page after page; the token of the next page is empty at the end.
func list(poller *Poller, _ []string) error {
	request := &v1.ListConnectionsRequest{PageSize: 100}
	for {
		ctx, cancel := WithDeadline()
		answer, err := poller.Connections.ListConnections(ctx, request)
		cancel()
		if err != nil {
			return err
		}
		for _, connection := range answer.Connections {
			show(connection)
		}
		if answer.NextPageToken == "" {
			return nil
		}
		request.PageToken = answer.NextPageToken
	}
}

// secret is what the file holds; empty without one.
func secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// add creates a connection.
func add(poller *Poller, arguments []string) (err error) {
	odoo, webhook := &v1.OdooSettings{}, &v1.WebhookSettings{}
	connection := &v1.Connection{Odoo: odoo, Webhook: webhook}
	flags := flag.NewFlagSet("add", flag.ExitOnError)
	flags.StringVar(&connection.Name, "name", "", "")
	flags.StringVar(&odoo.Url, "url", "", "")
	flags.StringVar(&odoo.Database, "database", "", "")
	flags.StringVar(&odoo.Username, "username", "", "")
	flags.StringVar(&webhook.Url, "webhook-url", "", "")
	keyFile := flags.String("api-key-file", "", "")
	secretFile := flags.String("webhook-secret-file", "", "")
	flags.Parse(arguments)
	if odoo.ApiKey, err = secret(*keyFile); err != nil {
		return err
	}
	if webhook.Secret, err = secret(*secretFile); err != nil {
		return err
	}
	// With a request id the call can be repeated without making a second connection.
	id := make([]byte, 16)
	if _, err = rand.Read(id); err != nil {
		return err
	}
	ctx, cancel := WithDeadline()
	defer cancel()
	answer, err := poller.Connections.CreateConnection(ctx, &v1.CreateConnectionRequest{
		Connection: connection, RequestId: fmt.Sprintf("%x", id)})
	if err == nil {
		show(answer.Connection)
	}
	return err
}
