package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"odoopoller/v1"
)

// Deadline of calls that answer once.
const Deadline = 10 * time.Second

// Options say how to reach a server.
type Options struct {
	Server, TokenFile, CA string
}

// Poller is the server.
type Poller struct {
	Connections v1.ConnectionServiceClient
	Orders      v1.OrderServiceClient
	Logs        v1.SyncLogServiceClient
	channel     *grpc.ClientConn
}

// tokenFile is read for each call, so that a token that was replaced is taken without a restart.
type tokenFile string

func (file tokenFile) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := os.ReadFile(string(file))
	return map[string]string{"authorization": "Bearer " + strings.TrimSpace(string(token))}, err
}

// RequireTransportSecurity allows plaintext: the server offers it on loopback and sockets alone.
func (tokenFile) RequireTransportSecurity() bool { return false }

// Connect does not wait for the server: the first call does.
func Connect(options Options) (*Poller, error) {
	security := grpc.WithInsecure()
	if options.CA != "" {
		authority, err := credentials.NewClientTLSFromFile(options.CA, "")
		if err != nil {
			return nil, err
		}
		security = grpc.WithTransportCredentials(authority)
	}
	channel, err := grpc.Dial(options.Server, security,
		grpc.WithPerRPCCredentials(tokenFile(options.TokenFile)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)),
		// A quiet stream may last for days. The pings find out that the other side has gone, and
		// keep the boxes in between from forgetting the connection. The server allows one every 10
		// seconds.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}))
	if err != nil {
		return nil, err
	}
	return &Poller{
		Connections: v1.NewConnectionServiceClient(channel),
		Orders:      v1.NewOrderServiceClient(channel),
		Logs:        v1.NewSyncLogServiceClient(channel),
		channel:     channel,
	}, nil
}

// Close ends what is under way.
func (poller *Poller) Close() { poller.channel.Close() }

// WithDeadline is the context of a call that answers once.
func WithDeadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), Deadline)
}

// Info is the ErrorInfo that came with an error; empty if there was none.
func Info(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return &errdetails.ErrorInfo{}
}

// Explain gives an error in a few lines: "AlreadyExists NAME_TAKEN: text", then the wrong fields.
func Explain(err error) string {
	failure, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	lines := []string{fmt.Sprintf("%v %s: %s", failure.Code(), Info(err).Reason, failure.Message())}
	for _, detail := range failure.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.FieldViolations {
				lines = append(lines, fmt.Sprintf("  %s: %s", violation.Field, violation.Description))
			}
		}
	}
	return strings.Join(lines, "\n")
}
