package main

import (
	"io"
	"net"
)

const (
	readBytes    = 64 * 1024
	requestBytes = 64
)

// Runs handle in a goroutine for each connection to a free loopback port. Go sets TCP_NODELAY by default.
func serveTCP(handle func(net.Conn)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("cannot listen on loopback: " + err.Error())
	}
	servePort(listener.Addr().(*net.TCPAddr).Port)
	for {
		socket, err := listener.Accept()
		if err != nil {
			fail("accept: " + err.Error())
		}
		go handle(socket)
	}
}

// Sends back what comes, until the peer ends.
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

// Reads one request, answers it, and closes.
func churn(socket net.Conn) {
	defer socket.Close()
	request := make([]byte, requestBytes)
	if _, err := io.ReadFull(socket, request); err != nil {
		return
	}
	_, _ = socket.Write(request)
}
