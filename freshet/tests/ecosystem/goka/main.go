// Counts words in a table, which a changelog keeps.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"strconv"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"
	"github.com/lovoo/goka/storage"
)

func count(ctx goka.Context, _ any) {
	total := int64(1)
	if before := ctx.Value(); before != nil {
		total += before.(int64)
	}
	ctx.SetValue(total)
	ctx.Emit("goka-counts", ctx.Key(), strconv.FormatInt(total, 10))
}

func main() {
	brokers := []string{os.Args[1]}
	config := goka.DefaultConfig()
	config.Consumer.Offsets.Initial = sarama.OffsetOldest // goka's default is the newest
	topics := goka.NewTopicManagerConfig()
	topics.Table.Replication = 1 // goka's default is 2, and there is one broker
	graph := goka.DefineGroup("goka",
		goka.Input("goka-words", new(codec.String), count),
		goka.Output("goka-counts", new(codec.String)),
		goka.Persist(new(codec.Int64)))
	processor, err := goka.NewProcessor(brokers, graph,
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithTopicManagerConfig(topics)),
		goka.WithConsumerGroupBuilder(goka.ConsumerGroupBuilderWithConfig(config)),
		goka.WithStorageBuilder(storage.MemoryBuilder()))
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := processor.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
