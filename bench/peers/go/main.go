// The Go peer of the benchmark: `go-peer <workload> <n> <warm-up ms> <measure ms>`, or `go-peer <server>`. What it
// prints is described in bench/peers/README.md.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 1 {
		serve(arguments[0])
		return
	}
	if len(arguments) != 4 {
		fail("usage: go-peer <workload> <n> <warm-up ms> <measure ms> | go-peer echo|churn|udp|http|http-routes")
	}
	workload, known := workloads[arguments[0]]
	if !known {
		fail("unknown workload: " + arguments[0])
	}
	n := number(arguments[1], "n")
	warmup := time.Duration(number(arguments[2], "warm-up ms")) * time.Millisecond
	measured := time.Duration(number(arguments[3], "measure ms")) * time.Millisecond
	measure(n, warmup, measured, workload)
}

func serve(server string) {
	switch server {
	case "echo":
		serveTCP(echo)
	case "churn":
		serveTCP(churn)
	case "udp":
		serveUDP()
	case "http", "http-routes":
		serveHTTP()
	default:
		fail("unknown server: " + server)
	}
}

func number(text, name string) uint64 {
	value, err := strconv.ParseUint(text, 10, 62)
	if err != nil {
		fail(fmt.Sprintf("%s must be a whole number, got %s", name, text))
	}
	return value
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
