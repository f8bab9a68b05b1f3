package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type repetition struct {
	phase    string
	elapsed  time.Duration
	checksum uint64
}

// measure repeats a workload in one process: the first run, then warm-up until its time is over (the first run counts
// towards it), then measured runs until the measured time is over. Nothing is printed before the end.
func measure(n uint64, warmup, measured time.Duration, workload func(uint64) uint64) {
	repetitions := make([]repetition, 0, 65_536)
	repeat := func(phase string) {
		start := time.Now()
		checksum := workload(n)
		repetitions = append(repetitions, repetition{phase, time.Since(start), checksum})
	}

	start, cpuStart := time.Now(), cpuNanoseconds()
	repeat("first")
	cpuFirst := cpuNanoseconds() - cpuStart
	for time.Since(start) < warmup {
		repeat("warm-up")
	}
	warmStart, cpuWarmStart := time.Now(), cpuNanoseconds()
	for {
		repeat("warm")
		if time.Since(warmStart) >= measured {
			break
		}
	}
	cpuWarm := cpuNanoseconds() - cpuWarmStart

	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, r := range repetitions {
		fmt.Fprintf(out, "{\"phase\":%q,\"operations\":%d,\"nanoseconds\":%d,\"checksum\":\"%d\"}\n",
			r.phase, n, r.elapsed.Nanoseconds(), r.checksum)
	}
	fmt.Fprintf(out, "{\"phase\":\"end\",\"firstCpuNanoseconds\":%d,\"warmCpuNanoseconds\":%d,\"peakMemoryBytes\":%d}\n",
		cpuFirst, cpuWarm, peakMemoryBytes())
}

func cpuNanoseconds() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail("getrusage: " + err.Error())
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// VmHWM, not ru_maxrss: the latter is inherited across exec and would show the parent's size.
func peakMemoryBytes() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "VmHWM:" {
			kibibytes, _ := strconv.ParseUint(fields[1], 10, 64)
			return kibibytes * 1024
		}
	}
	return 0
}
