package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
)

// What the servers share: the port is printed once, the line "collect" on standard input asks for a garbage collection
// that gives memory back, and the end of standard input ends the process.
func servePort(port int) {
	fmt.Println(port)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if lines.Text() == "collect" {
				debug.FreeOSMemory()
				fmt.Println("collected")
			}
		}
		os.Exit(0)
	}()
}
