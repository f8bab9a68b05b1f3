package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	largestBody    = 1 << 20
	uploadBytesMax = 2 << 20
	patternPeriod  = 251
	streamChunks   = 16
	chunkBytes     = 1024
	idleTimeout    = 65 * time.Second
)

// The bytes that every body is cut from: the load generator compares each.
var pattern = func() []byte {
	bytes := make([]byte, largestBody)
	for i := range bytes {
		bytes[i] = byte(i % patternPeriod)
	}
	return bytes
}()

type document struct {
	ID    int      `json:"id"`
	Name  string   `json:"name"`
	Count int      `json:"count"`
	Tags  []string `json:"tags"`
	Text  string   `json:"text"`
}

type post struct {
	User string `json:"user"`
	Post string `json:"post"`
}

// net/http, with paths told apart by hand, which is faster than its router.
func serveHTTP() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("cannot listen on loopback: " + err.Error())
	}
	servePort(listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: http.HandlerFunc(answer), IdleTimeout: idleTimeout}
	fail("serve: " + server.Serve(listener).Error())
}

func answer(writer http.ResponseWriter, request *http.Request) {
	path := request.URL.Path
	switch request.Method {
	case http.MethodGet:
		switch {
		case strings.HasPrefix(path, "/hello/"):
			send(writer, "text/plain", []byte("Hello, "+strings.TrimPrefix(path, "/hello/")+"!"))
			return
		case strings.HasPrefix(path, "/users/"):
			if parts := strings.Split(path, "/"); len(parts) == 5 && parts[3] == "posts" {
				sendJSON(writer, post{parts[2], parts[4]})
				return
			}
		case strings.HasPrefix(path, "/bytes/"):
			if length, err := strconv.Atoi(strings.TrimPrefix(path, "/bytes/")); err == nil && length <= largestBody {
				send(writer, "application/octet-stream", pattern[:length])
				return
			}
		case path == "/hello.txt":
			send(writer, "text/plain", []byte("Hello, World!"))
			return
		case path == "/stream":
			stream(writer)
			return
		}
	case http.MethodPost:
		switch path {
		case "/json":
			count(writer, request)
			return
		case "/upload":
			upload(writer, request)
			return
		}
	}
	http.NotFound(writer, request)
}

func send(writer http.ResponseWriter, contentType string, body []byte) {
	header := writer.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = writer.Write(body)
}

func sendJSON(writer http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	send(writer, "application/json", body)
}

func count(writer http.ResponseWriter, request *http.Request) {
	var value document
	if err := json.NewDecoder(request.Body).Decode(&value); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	value.Count++
	sendJSON(writer, value)
}

func upload(writer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, uploadBytesMax))
	if err != nil {
		http.Error(writer, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	send(writer, "text/plain", []byte(strconv.Itoa(len(body))))
}

func stream(writer http.ResponseWriter) {
	writer.Header().Set("Content-Type", "application/octet-stream")
	flusher := writer.(http.Flusher)
	for k := 0; k < streamChunks; k++ {
		if _, err := writer.Write(pattern[k*chunkBytes : (k+1)*chunkBytes]); err != nil {
			return
		}
		flusher.Flush()
	}
}
