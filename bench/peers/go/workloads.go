package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	window          = 1_000
	yieldingTasks   = 100
	channelCapacity = 1_024
)

// Each workload takes N and gives the checksum that every runtime must arrive at.
var workloads = map[string]func(uint64) uint64{
	"scheduling": scheduling,
	"io":         sleeping,
	"allocation": allocation,
	"spawn":      spawn,
	"yield":      yielding,
	"channel":    channel,
	"timer":      timers,
	"cancel":     cancel,
}

// windows starts goroutines until a window of them is running, waits for them all, and goes on: n in all. A WaitGroup
// and a slot for each result are Go's way to join.
func windows(n uint64, task func(uint64) uint64) uint64 {
	var joined sync.WaitGroup
	var results [window]uint64
	var checksum uint64
	for first := uint64(0); first < n; first += window {
		count := min(n-first, window)
		joined.Add(int(count))
		for k := uint64(0); k < count; k++ {
			go func(i uint64, result *uint64) {
				*result = task(i)
				joined.Done()
			}(first+k, &results[k])
		}
		joined.Wait()
		for _, result := range results[:count] {
			checksum += result
		}
	}
	return checksum
}

func min(a, b uint64) uint64 {
	if a < b {
		return a
	}
	return b
}

func scheduling(n uint64) uint64 {
	return windows(n, func(i uint64) uint64 {
		var sum uint64
		for j := uint64(0); j < 1_000; j++ {
			sum += i + j
			if j%100 == 0 {
				runtime.Gosched()
			}
		}
		return sum
	})
}

func sleeping(n uint64) uint64 {
	return windows(n, func(i uint64) uint64 {
		nanoseconds := 1 + i%1_000
		time.Sleep(time.Duration(nanoseconds))
		return nanoseconds
	})
}

func allocation(n uint64) uint64 {
	return windows(n, func(i uint64) uint64 {
		length := 1_024 + i%4_096
		buffer := make([]byte, length)
		// Both ends must be zero when the buffer comes, and are dirty when it goes.
		found := uint64(buffer[0]) + uint64(buffer[length-1])
		buffer[0] = 255
		buffer[length-1] = 255
		runtime.KeepAlive(buffer)
		return length + found
	})
}

func spawn(n uint64) uint64 {
	return windows(n, func(uint64) uint64 { return 1 })
}

// N yields in all, by tasks that take turns.
func yielding(n uint64) uint64 {
	each := n / yieldingTasks
	return windows(yieldingTasks, func(uint64) uint64 {
		var done uint64
		for done < each {
			runtime.Gosched()
			done++
		}
		return done
	})
}

func channel(n uint64) uint64 {
	values := make(chan uint64, channelCapacity)
	result := make(chan uint64)
	go func() {
		for i := uint64(0); i < n; i++ {
			values <- i
		}
		close(values)
	}()
	go func() {
		var sum uint64
		for value := range values {
			sum += value
		}
		result <- sum
	}()
	return <-result
}

// N sleeps of 1..100 ms, all at once.
func timers(n uint64) uint64 {
	var joined sync.WaitGroup
	results := make([]uint64, n)
	joined.Add(int(n))
	for i := uint64(0); i < n; i++ {
		go func(i uint64) {
			milliseconds := 1 + i%100
			time.Sleep(time.Duration(milliseconds) * time.Millisecond)
			results[i] = milliseconds
			joined.Done()
		}(i)
	}
	joined.Wait()
	var checksum uint64
	for _, result := range results {
		checksum += result
	}
	return checksum
}

// N goroutines that sleep for an hour; once all are asleep each one is cancelled by its own context, and all are joined.
func cancel(n uint64) uint64 {
	var started, cancelled atomic.Uint64
	var joined sync.WaitGroup
	cancels := make([]context.CancelFunc, n)
	joined.Add(int(n))
	for i := range cancels {
		ctx, stop := context.WithCancel(context.Background())
		cancels[i] = stop
		go func() {
			defer joined.Done()
			alarm := time.NewTimer(time.Hour)
			defer alarm.Stop()
			started.Add(1)
			select {
			case <-ctx.Done():
				cancelled.Add(1)
			case <-alarm.C:
			}
		}()
	}
	for started.Load() < n {
		runtime.Gosched()
	}
	for _, stop := range cancels {
		stop()
	}
	joined.Wait()
	return cancelled.Load()
}
