// What the two backends share: the sockets and their life, the checks of what JavaScript submits, the completions that
// are owed, the queues of what waits. A backend adds how the kernel is asked.
//
// Completions that follow from events other than received data are first noted on the socket ("owed") and paid into the
// completion ring at the beginning of harvest() and flush(), so that a full ring loses nothing and no socket disappears
// in the middle of a function that uses it. Data and Accept go straight into the ring: a backend takes them from the
// kernel only while can_deliver() holds.
#ifndef MILLRACE_IO_SOCKET_BACKEND_H_
#define MILLRACE_IO_SOCKET_BACKEND_H_

#include <uv.h>

#include "core/rings.h"
#include "core/slab.h"
#include "io/backend.h"
#include "io/descriptor.h"
#include "io/intrusive_queue.h"
#include "io/receive_pool.h"
#include "io/send_queue.h"
#include "io/socket.h"

namespace millrace {

class SocketBackend : public Backend {
 public:
  SocketBackend() = default;
  SocketBackend(const SocketBackend&) = delete;
  SocketBackend& operator=(const SocketBackend&) = delete;

  int start(uv_loop_t* loop, CompletionRing* completions) override;
  void provide(const Arenas& arenas) override;
  int listen(const SocketAddress& address, int backlog, uint32_t flags, uint32_t mode, uint32_t* handle) override;
  int connect(const SocketAddress& address, const SocketAddress& local, uint32_t* handle) override;
  int adopt(int fd, uint32_t* handle) override;
  int name_of(uint32_t handle, bool peer, SocketAddress* name) override;
  int descriptor_of(uint32_t handle, int* fd) override;
  int set_option(uint32_t handle, SocketOption option, int value) override;
  int get_option(uint32_t handle, SocketOption option, int* value) override;
  int credentials_of(uint32_t handle, Credentials* credentials) override;
  uint32_t send_at_once(uint32_t handle, const uint8_t* bytes, uint32_t length) override;
  bool submit(const Record& record) override;
  void release_delivered() override;
  void make_room() override;
  bool keeps_alive() const override { return alive_ > 0; }
  BackendCounters counters() const override;

 protected:
  // Brings the kernel's operations in line with what the socket wants. Called for dirty sockets by advance_dirty; it may
  // be called at any time, and again.
  virtual void advance(Socket& socket) = 0;

  // True while the kernel may be reading the arenas for this socket's sends.
  virtual bool is_sending(const Socket& socket) const = 0;

  virtual void note_blocked(Socket& socket) = 0;  // the kernel has no room for its sends

  virtual Blocking blocking() const = 0;     // what its descriptors are
  virtual void prepare(Socket& socket) = 0;  // its own part of a new socket
  virtual void start_connection(Socket& socket, const SocketAddress& address) = 0;
  // Before anything is done with a descriptor from outside. A negative errno: it cannot be watched.
  virtual int watch(Socket&) { return 0; }

  void touch(Socket& socket) { dirty_.push(&socket); }
  bool no_dirty() const { return dirty_.empty(); }
  // Every socket that is dirty now, once. False: some are dirty again.
  bool advance_dirty();

  bool can_deliver(const Socket& socket) const {
    return completions_->room() > 0 && (socket.owed & Socket::kOwedConnect) == 0;
  }
  // Needs can_deliver. The buffer was taken from the pool, or is the pinned one.
  void deliver(Socket& socket, uint32_t buffer, uint32_t offset, uint32_t length);
  // Needs can_deliver of the listener. Takes the descriptor.
  void accepted(Socket& listener, int fd);
  void accept_failed(Socket& listener, int error);
  bool accepts(const Socket& listener) const {
    return listener.phase == Socket::Phase::Open && !listener.paused && !listener.blocked_link.linked;
  }
  void connected(Socket& socket, int result);
  void received_end(Socket& socket);
  void sent(Socket& socket, size_t bytes);
  void count_sent(const Socket& socket, size_t bytes);
  void fail(Socket& socket, int error, Syscall call);
  // When the queue is empty: the FIN that was asked for; a socket that leaves goes over to Ending.
  void after_sends(Socket& socket);

  enum class SendOutcome { Emptied, Blocked, More, Failed };
  SendOutcome send_now(Socket& socket);  // by plain system calls that do not block

  // Nothing in the kernel uses the descriptor or the queue any more.
  void close_and_discard(Socket& socket);
  void close_at_stop(Socket& socket);  // the same, and nothing is given to JavaScript any more
  void owe(Socket& socket, Socket::Owed what);
  bool pay_owed();  // false: the ring is full

  void starve(Socket& socket) { starved_.push(&socket); }
  void close_shared_handles();  // of stop(): handle_closed() is called once
  virtual void handle_closed() {}

  uv_loop_t* loop_ = nullptr;
  CompletionRing* completions_ = nullptr;
  Slab<Socket> sockets_;
  ReceivePool pool_;
  SegmentPool segments_;
  SendResources resources_ = {{}, &pool_, &segments_};
  BackendCounters counters_ = {};
  IntrusiveQueue<Socket, &Socket::starved_link> starved_;

 private:
  // Takes the descriptor. nullptr: no slot is left, and it stays the caller's.
  Socket* add(int fd, Socket::Kind kind, Socket::Phase phase);
  Socket* open_socket(uint32_t handle);
  bool submit_send(const Record& record);
  void submit_notify_drain(Socket& socket, uint32_t low);
  void check_drain(Socket& socket);
  void submit_close(Socket& socket, bool reset);
  void submit_detach(Socket& socket);
  bool refuse(Socket& socket);
  void recount(Socket& socket);
  void unblock_listeners();
  void release(Socket& socket);

  static constexpr uint64_t kAcceptRetryMs = 100;
  static constexpr int kSendRoundsMax = 4;

  IntrusiveQueue<Socket, &Socket::dirty_link> dirty_;
  IntrusiveQueue<Socket, &Socket::owing_link> owing_;
  IntrusiveQueue<Socket, &Socket::blocked_link> blocked_;
  // Until JavaScript has taken their descriptors: a worker may end before, and nobody would close them.
  IntrusiveQueue<Socket, &Socket::owing_link> given_;
  uv_timer_t accept_retry_;
  uint32_t alive_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_IO_SOCKET_BACKEND_H_
