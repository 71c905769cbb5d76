package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"odoopoller/v1"
)

var types = []v1.EventType{
	v1.EventType_EVENT_TYPE_ORDER_FOUND,
	v1.EventType_EVENT_TYPE_DELIVERY_SUCCEEDED,
	v1.EventType_EVENT_TYPE_DELIVERY_SUPERSEDED,
	v1.EventType_EVENT_TYPE_DELIVERY_WITHDRAWN,
	v1.EventType_EVENT_TYPE_DELIVERY_DEAD,
	v1.EventType_EVENT_TYPE_DELIVERY_DISCARDED,
}

// To repeat these calls changes nothing: somebody has to look.
var giveUp = map[codes.Code]bool{
	codes.Unauthenticated:  true,
	codes.PermissionDenied: true,
	codes.InvalidArgument:  true,
	codes.NotFound:         true,
	codes.Unimplemented:    true,
}

// follow writes the orders of all shops into a journal, without a gap and without a repeat. It can be
// stopped and killed at any time, and so can the server: the next start goes on where the journal ends.
func follow(poller *Poller, arguments []string) error {
	flags := flag.NewFlagSet("follow", flag.ExitOnError)
	path := flags.String("journal", "orders.jsonl", "")
	flags.Parse(arguments)
	journal, err := OpenJournal(*path)
	if err != nil {
		return err
	}
	failures := 0
	for {
		err := followOnce(poller, journal, func() { failures = 0 })
		if status.Code(err) == codes.OutOfRange {
			fmt.Fprintln(os.Stderr, Explain(err))
			err = recoverFrom(err, poller, journal)
		}
		if err == nil {
			continue
		}
		failure, ofACall := status.FromError(err)
		if !ofACall || giveUp[failure.Code()] {
			return err
		}
		fmt.Fprintln(os.Stderr, Explain(err))
		failures++
		wait := math.Min(30, 0.5*math.Pow(2, math.Min(float64(failures), 6))) * (0.5 + rand.Float64()/2)
		time.Sleep(time.Duration(wait * float64(time.Second)))
	}
}

// followOnce follows until the stream ends, which it does with an error, always.
func followOnce(poller *Poller, journal *Journal, alive func()) error {
	// No deadline: keepalive notices a server that is gone.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := poller.Logs.StreamSyncEvents(ctx, &v1.StreamSyncEventsRequest{
		LogId: journal.LogID, AfterSequence: &journal.Sequence, Types: types})
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if event := message.GetEvent(); event != nil {
			err = journal.Write(Line{LogID: event.LogId, Sequence: event.Sequence,
				Type:         strings.TrimPrefix(event.Type.String(), "EVENT_TYPE_"),
				ConnectionID: event.ConnectionId, Order: event.OrderName})
		} else {
			err = journal.MoveOn(message.GetHeartbeat().GetLogId(), message.GetHeartbeat().GetSequence())
		}
		if err != nil {
			return err
		}
		alive()
	}
}

// recoverFrom is for when events were missed for good: it takes the orders as they are, and follows
// from the end of the log. The end first, the orders afterwards: what happens in between is seen
// twice, which does no harm.
func recoverFrom(missed error, poller *Poller, journal *Journal) error {
	present := Info(missed).Metadata
	newest, err := strconv.ParseInt(present["newest_sequence"], 10, 64)
	if err != nil {
		return missed
	}
	line := Line{LogID: present["log_id"], Sequence: newest, StartAgainWith: []Order{}}
	request := &v1.ListOrdersRequest{PageSize: 500}
	for {
		ctx, cancel := WithDeadline()
		answer, err := poller.Orders.ListOrders(ctx, request)
		cancel()
		if err != nil {
			return err
		}
		for _, order := range answer.Orders {
			line.StartAgainWith = append(line.StartAgainWith,
				Order{order.ConnectionId, order.Name, order.Status.String()})
		}
		if answer.NextPageToken == "" {
			return journal.Write(line)
		}
		request.PageToken = answer.NextPageToken
	}
}
