// Answers each record of a topic: a member of a consumer group and a producer.
package main

import (
	"bytes"
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/IBM/sarama"
)

type shouter struct{ producer sarama.SyncProducer }

func (shouter) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (shouter) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (s shouter) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for word := range claim.Messages() {
		key, shout := sarama.ByteEncoder(word.Key), sarama.ByteEncoder(bytes.ToUpper(word.Value))
		answer := sarama.ProducerMessage{Topic: "sarama-shouts", Key: key, Value: shout}
		if _, _, err := s.producer.SendMessage(&answer); err != nil {
			return err
		}
		session.MarkMessage(word, "") // committed every second, and at the end
	}
	return nil
}

func main() {
	brokers := []string{os.Args[1]}
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Producer.Return.Successes = true
	producer, err := sarama.NewSyncProducer(brokers, config)
	if err != nil {
		log.Fatal(err)
	}
	group, err := sarama.NewConsumerGroup(brokers, "sarama", config)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for ctx.Err() == nil { // again after each rebalance
		if err := group.Consume(ctx, []string{"sarama-words"}, shouter{producer}); err != nil {
			log.Fatal(err)
		}
	}
	group.Close()
}
