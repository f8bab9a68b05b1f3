package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

const readBytes = 64 * 1024

// A TCP echo server on a free loopback port, until standard input is closed.
func serveEcho() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("cannot listen on loopback: " + err.Error())
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		socket, err := listener.Accept()
		if err != nil {
			fail("accept: " + err.Error())
		}
		go echo(socket)
	}
}

// Go sets TCP_NODELAY by default.
func echo(socket net.Conn) {
	defer socket.Close()
	buffer := make([]byte, readBytes)
	for {
		length, err := socket.Read(buffer)
		if err != nil {
			return
		}
		if _, err := socket.Write(buffer[:length]); err != nil {
			return
		}
	}
}
