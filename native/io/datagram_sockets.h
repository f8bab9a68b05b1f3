// The sockets behind Datagrams: datagrams.cc has their life, datagram_receives.cc and datagram_sends.cc the two directions.
#ifndef MILLRACE_IO_DATAGRAM_SOCKETS_H_
#define MILLRACE_IO_DATAGRAM_SOCKETS_H_

#ifndef _WIN32
#include <netinet/in.h>
#include <sys/uio.h>
#include <uv.h>

#include <memory>

#include "core/rings.h"
#include "core/slab.h"
#include "io/datagram_descriptor.h"
#include "io/datagrams.h"
#include "io/intrusive_queue.h"

namespace millrace {

class DatagramSockets;

inline constexpr uint32_t kPeerWords = 6;  // DatagramWord::Port, Address, Scope

// A datagram for which the kernel had no room, in memory of its own.
struct QueuedDatagram {
  QueuedDatagram* next;
  uint32_t length;
  uint32_t peer[kPeerWords];
  // The bytes follow.
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(this + 1); }
};

// What the table had no room for of a train (below).
struct RestOfTrain {
  RestOfTrain* next;
  uint32_t length;
  uint32_t taken;  // of it
  uint32_t segment_bytes;
  uint32_t peer[kPeerWords];
  // The bytes follow.
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(this + 1); }
};

//   Open -> Leaving (Close: what is queued leaves first) -> Ending -> Ended -> released when DatagramClosed is in the ring
struct DatagramSocket {
  enum class Phase : uint8_t { Open, Leaving, Ending, Ended };
  enum Owed : uint8_t { kOwedDrain = 1, kOwedClosed = 2 };
  static constexpr uint32_t kNone = UINT32_MAX;

  DatagramSockets* owner = nullptr;
  int fd = -1;
  int family = 0;
  uint32_t handle = 0;
  Phase phase = Phase::Open;
  bool reading = true;
  bool referenced = true;
  bool counted_alive = false;
  bool drain_wanted = false;
  bool segments = false;  // the kernel cuts one message into many datagrams (UDP_SEGMENT)
  bool trains = false;    // the kernel gives many datagrams as one message (UDP_GRO)
  uint8_t owed = 0;
  uint32_t drain_at = 0;     // bytes
  uint32_t bytes_max = 0;    // of a datagram that is received
  uint32_t message_max = 0;  // of a message: a train (UDP_GRO) is longer than its datagrams
  uint32_t train = 1;        // datagrams of the longest train in the last batch
  uint32_t stride = 0;       // place for one in the arena, as the last batch suggests

  // Entries of the table that are being sent: linked by DatagramSockets::next_, only within take_sends.
  uint32_t first_send = kNone;
  uint32_t last_send = kNone;

  QueuedDatagram* queue_head = nullptr;
  QueuedDatagram* queue_tail = nullptr;
  uint32_t queued = 0;        // datagrams
  uint32_t queued_bytes = 0;  // with kQueuedOverhead for each
  uint32_t lost = 0;

  // At most a batch of messages: nothing more is received before JavaScript has had them.
  RestOfTrain* rest_head = nullptr;
  RestOfTrain* rest_tail = nullptr;

  QueueLink<DatagramSocket> dirty_link;
  QueueLink<DatagramSocket> owing_link;
  QueueLink<DatagramSocket> sending_link;
  QueueLink<DatagramSocket> crowded_link;
  QueueLink<DatagramSocket> resting_link;

  uv_poll_t poll = {};
  int polled = 0;
};

class DatagramSockets final : public Datagrams {
 public:
  DatagramSockets(uv_loop_t* loop, CompletionRing* completions) : loop_(loop), completions_(completions) {}
  DatagramSockets(const DatagramSockets&) = delete;
  DatagramSockets& operator=(const DatagramSockets&) = delete;
  ~DatagramSockets() override;

  bool allocate();
  void provide(const DatagramMemory& memory) override { memory_ = memory; }
  int bind(const sockaddr* address, uint32_t address_bytes, uint32_t flags, uint32_t bytes_max,
           uint32_t* handle) override;
  int connect(uint32_t handle, const sockaddr* address, uint32_t address_bytes) override;
  int name_of(uint32_t handle, bool peer, sockaddr* address, uint32_t* address_bytes) override;
  int set_option(uint32_t handle, DatagramOption option, int value) override;
  int get_option(uint32_t handle, DatagramOption option) override;
  int change_membership(uint32_t handle, bool join, const sockaddr_storage& group, const sockaddr_storage* source,
                        const char* interface_name) override;
  int set_multicast_interface(uint32_t handle, const char* interface_name) override;
  bool submit(const Record& record) override;
  uint32_t take_sends() override;
  bool harvest() override { return !pay_owed(); }
  void release_delivered() override;
  bool flush() override;
  bool keeps_alive() const override { return alive_ > 0; }
  DatagramCounters counters() const override;
  void stop(void (*on_stopped)(void* data), void* data) override;

 private:
  static constexpr uint32_t kBatch = 64;
  static constexpr int kReceiveRounds = 4;                // batches of one socket in one turn of the loop
  static constexpr uint32_t kOpenGroups = 256;            // a power of two
  static constexpr uint32_t kReceiveStepBytes = 1 << 20;  // of the arena that a batch may take, if none of it is longer
  static constexpr uint32_t kRestEntries =
      kDatagramReceives / 2;  // of a tick: sockets with new datagrams have a turn too

  // The messages of a batch, with all that they point at. Written for each batch again.
  struct Batch {
    Message messages[kBatch];
    iovec spans[kBatch][2];
    sockaddr_in6 names[kBatch];
    SegmentControl controls[kBatch];
  };

  // Datagrams to one peer that go to the kernel as one message, in their order: all as long as the first, but the last
  // may be shorter.
  struct Group {
    uint32_t first = 0, last = 0;  // entries, linked by next_in_group_
    uint32_t count = 0;
    uint32_t segment_bytes = 0;  // 0: nothing can be added any more
    uint32_t bytes = 0;
  };

  // A received message: one datagram, or many of one peer that are all of a length but the last, which may be shorter.
  struct Train {
    uint32_t offset;  // in the arena
    uint32_t length;
    uint32_t segment_bytes;  // 0: it is empty
    const uint32_t* peer;
  };

  DatagramSocket* open_socket(uint32_t handle);
  void poll_for(DatagramSocket& socket, int events);
  void on_events(DatagramSocket& socket, int status, int events);
  void touch(DatagramSocket& socket) { dirty_.push(&socket); }
  void advance(DatagramSocket& socket);
  void end(DatagramSocket& socket);
  void handle_closed();
  void owe(DatagramSocket& socket, DatagramSocket::Owed what);
  bool pay_owed();
  void recount(DatagramSocket& socket);
  void release(DatagramSocket& socket);

  // datagram_receives.cc
  void receive(DatagramSocket& socket);
  bool receive_batch(DatagramSocket& socket);
  uint32_t prepare_batch(DatagramSocket& socket);
  uint32_t enter_train(const DatagramSocket& socket, const Train& train, bool truncated, uint32_t entries_max);
  void keep_rest(DatagramSocket& socket, const Train& train, uint32_t taken);
  void deliver_rests();
  void deliver_rest(DatagramSocket& socket);
  void drop_rest(DatagramSocket& socket);
  // An error's entry in the table of received ones; report() announces what was entered since `first`.
  void enter_error(int error, Syscall call, const uint32_t* peer);
  void report(const DatagramSocket& socket, uint32_t first);

  // datagram_sends.cc
  bool link_send(uint32_t index);
  const uint32_t* entry_at(uint32_t index) const;
  void group_sends(DatagramSocket& socket);
  uint32_t gather_groups(const DatagramSocket& socket, uint32_t from);
  void transmit(DatagramSocket& socket);
  void transmit_queue(DatagramSocket& socket);
  bool address_message(const DatagramSocket& socket, uint32_t at, const uint32_t* peer);
  void enqueue(DatagramSocket& socket, const uint32_t* entry);
  QueuedDatagram* dequeue(DatagramSocket& socket);
  void queue_changed(DatagramSocket& socket);
  const uint8_t* bytes_of(const uint32_t* entry) const;

  uv_loop_t* loop_;
  CompletionRing* completions_;
  DatagramMemory memory_;
  Slab<DatagramSocket, kDatagramSocketsMax> sockets_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<uint8_t[]> overflow_;  // kBatch times kDatagramBytesMax; pages are touched by long datagrams only
  uint32_t filled_ = 0;                  // of the receive arena in this tick
  uint32_t received_ = 0;                // entries of the table in this tick
  uint32_t send_head_ = 0;
  uint32_t next_[kDatagramSends];
  uint32_t next_in_group_[kDatagramSends];
  Group groups_[kDatagramSends];  // of the socket that is being sent from
  uint32_t group_count_ = 0;
  iovec group_spans_[kDatagramSends];
  uint16_t open_groups_[kOpenGroups];  // by a hash of the peer: the group + 1 that its last datagram went into
  IntrusiveQueue<DatagramSocket, &DatagramSocket::dirty_link> dirty_;
  IntrusiveQueue<DatagramSocket, &DatagramSocket::owing_link> owing_;
  IntrusiveQueue<DatagramSocket, &DatagramSocket::sending_link> sending_;
  // There was no room in this tick for what they have received: they come first in the next.
  IntrusiveQueue<DatagramSocket, &DatagramSocket::crowded_link> crowded_;
  IntrusiveQueue<DatagramSocket, &DatagramSocket::resting_link> resting_;  // those that receive; others keep their rest
  DatagramCounters counters_ = {};
  uint32_t alive_ = 0;
  uint32_t handles_closing_ = 0;
  bool stopping_ = false;
  void (*on_stopped_)(void*) = nullptr;
  void* stopped_data_ = nullptr;
};

}  // namespace millrace
#endif  // _WIN32
#endif  // MILLRACE_IO_DATAGRAM_SOCKETS_H_
