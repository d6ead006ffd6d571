// Answers each record of a topic: a Reader of a consumer group, and a Writer.
package main

import (
	"bytes"
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/segmentio/kafka-go"
)

func main() {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{os.Args[1]}, GroupID: "kafka-go", Topic: "kafka-go-words",
		StartOffset: kafka.FirstOffset,
	})
	writer := &kafka.Writer{
		Addr: kafka.TCP(os.Args[1]), Topic: "kafka-go-shouts", Balancer: &kafka.Hash{},
		RequiredAcks: kafka.RequireAll, BatchSize: 1,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for {
		word, err := reader.FetchMessage(ctx)
		if err != nil {
			break
		}
		shout := kafka.Message{Key: word.Key, Value: bytes.ToUpper(word.Value)}
		if err := writer.WriteMessages(context.Background(), shout); err != nil {
			log.Fatal(err)
		}
		if err := reader.CommitMessages(context.Background(), word); err != nil {
			log.Fatal(err)
		}
	}
	reader.Close()
}
