// Franz-go against the broker at the address given, whose listener with logins is at the other
// address: what it observes, a line each. The lines are compared with those that an Apache Kafka
// gives, so whatever differs from run to run is left out of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	topic    = "from-franz-go"
	group    = "franz-go-group"
	patience = 30 * time.Second
)

var servers, login = os.Args[1], os.Args[2]

// observe prints what an action gives, or the name of the error that it ends in.
func observe(name string, action func(context.Context) (any, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	value, err := action(ctx)
	if err != nil {
		var code *kerr.Error
		if errors.As(err, &code) {
			value = code.Message
		} else {
			value = strings.ReplaceAll(err.Error(), servers, "HOST:PORT")
		}
	}
	fmt.Printf("%s: %v\n", name, value)
}

func client(options ...kgo.Opt) *kgo.Client {
	all := append([]kgo.Opt{kgo.SeedBrokers(servers), kgo.ClientID("franz-go"), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RecordDeliveryTimeout(10 * time.Second), kgo.RetryTimeout(10 * time.Second)}, options...)
	made, err := kgo.NewClient(all...)
	if err != nil {
		panic(err)
	}
	return made
}

// read polls until so many records have come.
func read(ctx context.Context, from *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	for len(records) < count && ctx.Err() == nil {
		records = append(records, from.PollFetches(ctx).Records()...)
	}
	return records
}

func main() {
	plain := client()
	defer plain.Close()
	admin := kadm.NewClient(plain)
	topics(admin)
	records(plain)
	groups(admin)
	tools(admin)
	logins()
	settings(admin)
}

func create(admin *kadm.Client, name string, partitions int32, replicas int16, configs map[string]*string) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		made, err := admin.CreateTopic(ctx, partitions, replicas, configs, name)
		if err == nil {
			err = made.Err
		}
		return fmt.Sprintf("%d partitions, %d replica", made.NumPartitions, made.ReplicationFactor), err
	}
}

func topics(admin *kadm.Client) {
	observe("create", create(admin, topic, 3, 1, map[string]*string{"retention.ms": kadm.StringPtr("86400000")}))
	observe("create with defaults", create(admin, topic+"-defaults", -1, -1, nil))
	observe("create again", create(admin, topic, 3, 1, nil))
	observe("create an illegal name", create(admin, "a/b", 1, 1, nil))
	observe("create with 3 replicas", create(admin, "wrong", 1, 3, nil))
	observe("create with an unknown setting", create(admin, "wrong", 1, 1, map[string]*string{"no.such": kadm.StringPtr("1")}))
	observe("describe", func(ctx context.Context) (any, error) {
		listed, err := admin.ListTopics(ctx, topic, "nowhere")
		var lines []string
		for _, p := range listed[topic].Partitions.Sorted() {
			lines = append(lines, fmt.Sprint(p.Partition, p.Leader, p.LeaderEpoch, p.Replicas, p.ISR))
		}
		return fmt.Sprint(lines, " nowhere: ", listed["nowhere"].Err), err
	})
	observe("cluster", func(ctx context.Context) (any, error) {
		metadata, err := admin.BrokerMetadata(ctx)
		return fmt.Sprint(len(metadata.Brokers), " broker, controller ", metadata.Controller), err
	})
}

func records(plain *kgo.Client) {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for _, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		observe("send with "+name, func(ctx context.Context) (any, error) {
			producer := client(kgo.ProducerBatchCompression(codecs[name]), kgo.ProducerLinger(5*time.Millisecond))
			defer producer.Close()
			var batch []*kgo.Record
			for n := range 90 {
				value := fmt.Sprint(name, n)
				batch = append(batch, &kgo.Record{Topic: topic, Partition: int32(n % 3), Key: []byte("k"), Value: []byte(value),
					Headers: []kgo.RecordHeader{{Key: "v", Value: []byte(value)}}})
			}
			results := producer.ProduceSync(ctx, batch...)
			last := map[int32]int64{}
			for _, result := range results {
				if result.Err == nil {
					last[result.Record.Partition] = max(last[result.Record.Partition], result.Record.Offset)
				}
			}
			return fmt.Sprint("last offsets ", last), results.FirstErr()
		})
	}
	send := func(name string, options []kgo.Opt, record *kgo.Record) {
		observe(name, func(ctx context.Context) (any, error) {
			producer := client(options...)
			defer producer.Close()
			sent, err := producer.ProduceSync(ctx, record).First()
			return sent.Offset, err
		})
	}
	send("send null", nil, &kgo.Record{Topic: topic, Key: []byte("tombstone")})
	send("send without idempotence", []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck())}, &kgo.Record{Topic: topic, Value: []byte("v")})
	send("send with acks=0", []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.NoAck())}, &kgo.Record{Topic: topic, Value: []byte("v")})
	send("send too much", []kgo.Opt{kgo.ProducerBatchMaxBytes(3_000_000), kgo.ProducerBatchCompression(kgo.NoCompression())},
		&kgo.Record{Topic: topic, Value: []byte(strings.Repeat("x", 2_000_000))})
	send("send to an unknown topic", []kgo.Opt{kgo.UnknownTopicRetries(1)}, &kgo.Record{Topic: "nowhere", Value: []byte("v")})
	observe("send in a transaction", func(ctx context.Context) (any, error) {
		producer := client(kgo.TransactionalID("franz-go"))
		defer producer.Close()
		if err := producer.BeginTransaction(); err != nil {
			return nil, err
		}
		if err := producer.ProduceSync(ctx, &kgo.Record{Topic: topic + "-defaults", Value: []byte("t")}).FirstErr(); err != nil {
			return nil, err
		}
		return "done", producer.EndTransaction(ctx, kgo.TryAbort)
	})
	observe("read", func(ctx context.Context) (any, error) {
		reader := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200*time.Millisecond))
		defer reader.Close()
		next, ordered, headers, tombstones := map[int32]int64{}, true, true, 0
		all := read(ctx, reader, 453)
		for _, r := range all {
			ordered = ordered && r.Offset == next[r.Partition]
			next[r.Partition] = r.Offset + 1
			headers = headers && (len(r.Headers) == 0 || string(r.Headers[0].Value) == string(r.Value))
			if r.Value == nil {
				tombstones++
			}
		}
		return fmt.Sprint(len(all), " records, in order ", ordered, ", headers ", headers, ", tombstones ", tombstones), nil
	})
	observe("read past the end", func(ctx context.Context) (any, error) {
		reader := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(100_000)}}), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
		defer reader.Close()
		return nil, reader.PollFetches(ctx).Err()
	})
}

func groups(admin *kadm.Client) {
	member := func(balancer kgo.GroupBalancer, options ...kgo.Opt) *kgo.Client {
		return client(append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.Balancers(balancer), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(300 * time.Millisecond),
			kgo.RebalanceTimeout(10 * time.Second)}, options...)...)
	}
	describe := func(ctx context.Context) kadm.DescribedGroup {
		described, _ := admin.DescribeGroups(ctx, group)
		return described[group]
	}
	balancers := []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.RoundRobinBalancer(), kgo.StickyBalancer(), kgo.CooperativeStickyBalancer()}
	for _, balancer := range balancers {
		observe("two members share with "+balancer.ProtocolName(), func(ctx context.Context) (any, error) {
			stable := func(members int) bool {
				for ctx.Err() == nil {
					if described := describe(ctx); described.State == "Stable" && len(described.Members) == members && described.AssignedPartitions()[topic] != nil &&
						len(described.AssignedPartitions()[topic]) == 3 {
						return true
					}
					time.Sleep(20 * time.Millisecond)
				}
				return false
			}
			one := member(balancer)
			go read(ctx, one, 1<<30)
			alone := stable(1)
			other := member(balancer)
			go read(ctx, other, 1<<30)
			shared := stable(2)
			other.Close()
			handedOver := stable(1)
			one.Close()
			return fmt.Sprint("alone ", alone, ", shared ", shared, ", handed over ", handedOver), nil
		})
	}
	observe("commit", func(ctx context.Context) (any, error) {
		one := member(kgo.RangeBalancer())
		defer one.Close()
		got := read(ctx, one, 10)
		if err := one.CommitRecords(ctx, got[:10]...); err != nil {
			return nil, err
		}
		described := describe(ctx)
		return fmt.Sprint(described.State, " ", described.ProtocolType, " ", described.Protocol, " ", described.Members[0].ClientID, " ", described.Members[0].ClientHost), nil
	})
	observe("committed", func(ctx context.Context) (any, error) {
		committed, err := admin.FetchOffsets(ctx, group)
		total := int64(0)
		committed.Each(func(offset kadm.OffsetResponse) { total += offset.At })
		return total, err
	})
	observe("lag", func(ctx context.Context) (any, error) {
		lags, err := admin.Lag(ctx, group)
		if err != nil {
			return nil, err
		}
		lag := lags[group]
		return fmt.Sprint(lag.State, " ", lag.Lag.Total() > 0), lag.Error()
	})
	observe("listed", func(ctx context.Context) (any, error) {
		listed, err := admin.ListGroups(ctx)
		return fmt.Sprint(listed[group].ProtocolType, " ", listed[group].State), err
	})
	observe("delete the group", func(ctx context.Context) (any, error) {
		deleted, err := admin.DeleteGroups(ctx, group)
		if err == nil {
			err = deleted[group].Err
		}
		return "done", err
	})
	observe("delete it again", func(ctx context.Context) (any, error) {
		deleted, err := admin.DeleteGroups(ctx, group)
		if err == nil {
			err = deleted[group].Err
		}
		return "done", err
	})
}

func tools(admin *kadm.Client) {
	compacted := topic + "-compacted"
	observe("create a compacted topic", create(admin, compacted, 1, 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact")}))
	observe("send without a key to it", func(ctx context.Context) (any, error) {
		producer := client()
		defer producer.Close()
		return "done", producer.ProduceSync(ctx, &kgo.Record{Topic: compacted, Value: []byte("v")}).FirstErr()
	})
	observe("delete it", func(ctx context.Context) (any, error) {
		deleted, err := admin.DeleteTopic(ctx, compacted)
		return "done", errors.Join(err, deleted.Err)
	})
	observe("log directories", func(ctx context.Context) (any, error) {
		all, err := admin.DescribeAllLogDirs(ctx, kadm.TopicsSet{topic: {0: {}, 1: {}}})
		var lines []string
		all.Each(func(dir kadm.DescribedLogDir) {
			for _, p := range dir.Topics[topic] {
				lines = append(lines, fmt.Sprint(p.Partition, " of broker ", p.Broker, ", ", p.Size > 0, " ", p.OffsetLag, " ", p.IsFuture))
			}
		})
		sort.Strings(lines)
		return lines, err
	})
	observe("elect the preferred leaders", func(ctx context.Context) (any, error) {
		elected, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, kadm.TopicsSet{topic: {0: {}}})
		return elected[topic][0].Err, err
	})
	observe("transactions that are going on", func(ctx context.Context) (any, error) {
		listed, err := admin.ListTransactions(ctx, nil, []string{"Ongoing"})
		return len(listed), err
	})
	observe("the broker's settings", func(ctx context.Context) (any, error) {
		described, err := admin.DescribeBrokerConfigs(ctx, 1)
		var lines []string
		for _, config := range described[0].Configs {
			if config.Key == "num.partitions" || config.Key == "log.retention.ms" || config.Key == "message.max.bytes" {
				lines = append(lines, fmt.Sprint(config.Key, "=", config.MaybeValue(), " ", config.Source))
			}
		}
		sort.Strings(lines)
		return lines, err
	})
	observe("quotas", func(ctx context.Context) (any, error) {
		quotas, err := admin.DescribeClientQuotas(ctx, false, nil)
		return len(quotas), err
	})
}

func logins() {
	for _, password := range []string{"secret", "wrong"} {
		known := scram.Auth{User: "ada", Pass: password}
		for _, mechanism := range []sasl.Mechanism{plain.Auth{User: "ada", Pass: password}.AsMechanism(), known.AsSha256Mechanism(), known.AsSha512Mechanism()} {
			observe("log in by "+mechanism.Name()+" with a "+password+" password", func(ctx context.Context) (any, error) {
				producer := client(kgo.SeedBrokers(login), kgo.SASL(mechanism))
				defer producer.Close()
				sent, err := producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: 2, Value: []byte("logged in")}).First()
				return sent.Offset, err
			})
		}
	}
}

func settings(admin *kadm.Client) {
	setting := func(name string) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			resources, err := admin.DescribeTopicConfigs(ctx, topic)
			if err != nil {
				return nil, err
			}
			for _, config := range resources[0].Configs {
				if config.Key == name {
					return fmt.Sprint(config.MaybeValue(), " ", config.Source), resources[0].Err
				}
			}
			return "not there", resources[0].Err
		}
	}
	alter := func(name, value string) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic)
			if err == nil {
				err = altered[0].Err
			}
			return "done", err
		}
	}
	observe("setting", setting("retention.ms"))
	observe("alter it", alter("retention.ms", "7000000"))
	observe("setting after that", setting("retention.ms"))
	observe("alter it to nonsense", alter("retention.ms", "soon"))
	observe("grow", func(ctx context.Context) (any, error) {
		grown, err := admin.UpdatePartitions(ctx, 5, topic)
		if err == nil {
			err = grown[topic].Err
		}
		// Apache Kafka answers when its controller knows, and its brokers learn of it a little later.
		for err == nil {
			var details kadm.TopicDetails
			if details, err = admin.ListTopics(ctx, topic); err == nil && len(details[topic].Partitions) == 5 {
				break
			}
		}
		return "done", err
	})
	observe("offsets", func(ctx context.Context) (any, error) {
		ends, err := admin.ListEndOffsets(ctx, topic)
		var all []string
		ends.Each(func(offset kadm.ListedOffset) { all = append(all, fmt.Sprint(offset.Partition, ":", offset.Offset)) })
		sort.Strings(all)
		return all, err
	})
	observe("delete records", func(ctx context.Context) (any, error) {
		to := kadm.Offsets{}
		to.Add(kadm.Offset{Topic: topic, Partition: 0, At: 5})
		deleted, err := admin.DeleteRecords(ctx, to)
		return deleted[topic][0].LowWatermark, err
	})
	observe("delete", func(ctx context.Context) (any, error) {
		deleted, err := admin.DeleteTopics(ctx, topic, topic+"-defaults")
		if err == nil {
			err = deleted[topic].Err
		}
		return len(deleted), err
	})
	observe("delete again", func(ctx context.Context) (any, error) {
		deleted, err := admin.DeleteTopics(ctx, topic)
		if err == nil {
			err = deleted[topic].Err
		}
		return nil, err
	})
}
