package main

import "net"

// A UDP echo server on a free loopback port. The AddrPort calls allocate nothing for each datagram.
func serveUDP() {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		fail("cannot bind on loopback: " + err.Error())
	}
	servePort(socket.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, readBytes)
	for {
		length, from, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			continue
		}
		_, _ = socket.WriteToUDPAddrPort(buffer[:length], from)
	}
}
