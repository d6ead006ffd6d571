// Reads a partition of a topic with Client.Fetch, which knows no groups, and counts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/segmentio/kafka-go"
)

func main() {
	client := &kafka.Client{Addr: kafka.TCP(os.Args[1])}
	count := 0
	for partition := range 4 {
		answer, err := client.Fetch(context.Background(), &kafka.FetchRequest{
			Topic: os.Args[2], Partition: partition, Offset: 0, MinBytes: 1, MaxBytes: 1 << 20,
		})
		if err != nil {
			log.Fatal(err)
		}
		for {
			if _, err := answer.Records.ReadRecord(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				log.Fatal(err)
			}
			count++
		}
	}
	fmt.Println(count)
}
