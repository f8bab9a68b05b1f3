// UDP over a real loop, with the JavaScript side of its memory.
#ifndef MILLRACE_TESTS_DATAGRAMS_FIXTURE_H_
#define MILLRACE_TESTS_DATAGRAMS_FIXTURE_H_

#include <arpa/inet.h>
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/rings.h"
#include "io/datagram_descriptor.h"
#include "io/datagrams.h"

// A loopback never lacks room: here it does as long as this is set.
extern int refuse_sends_with;

namespace millrace {

constexpr uint32_t at(DatagramWord word) { return static_cast<uint32_t>(word); }
inline constexpr uint32_t kWords = at(DatagramWord::Words);

struct Seen {
  Completion kind;
  uint32_t handle, a, b;
};
struct Got {
  uint32_t handle;
  int error;
  std::string bytes;
  bool truncated;
  uint32_t peer[6];
  uint32_t port() const { return peer[0] & 0xffff; }
};

class DatagramsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    refuse_sends_with = 0;
    uv_loop_init(&loop);
    // As the addon's own: the sockets' handles do not keep the loop going.
    uv_prepare_init(&loop, &prepare);
    uv_prepare_start(&prepare, [](uv_prepare_t*) {});
    completions.attach(control, records);
    receive.resize(kDatagramReceiveBytes);
    receives.resize(kDatagramReceives * kWords);
    send.resize(kDatagramSendBytes);
    sends.resize(kDatagramSends * kWords);
    queued.resize(kDatagramSocketsMax);
    datagrams = create_datagrams(&loop, &completions);
    ASSERT_TRUE(datagrams);
    datagrams->provide({receive.data(), receives.data(), send.data(), sends.data(), cursors, queued.data()});
  }
  void TearDown() override {
    bool ended = false;
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), nullptr);
    datagrams->stop([](void* data) { *static_cast<bool*>(data) = true; }, &ended);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(ended);
    datagrams.reset();
    EXPECT_EQ(uv_loop_close(&loop), 0);
    for (int fd : senders) close(fd);
  }

  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  uint32_t bind(uint32_t bytes_max = kDatagramBytesMax) {
    sockaddr_in address = loopback(0);
    uint32_t handle = 0;
    EXPECT_EQ(datagrams->bind(reinterpret_cast<sockaddr*>(&address), sizeof address, 0, bytes_max, &handle), 0);
    return handle;
  }
  uint16_t port_of(uint32_t handle) {
    sockaddr_in address = {};
    uint32_t bytes = sizeof address;
    EXPECT_EQ(datagrams->name_of(handle, false, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    return ntohs(address.sin_port);
  }
  void connect(uint32_t handle, uint16_t port) {
    sockaddr_in address = loopback(port);
    EXPECT_EQ(datagrams->connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  // Not of Millrace: everything it sends at once is one message for the kernel.
  int open_sender(uint16_t to) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(to);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    senders.push_back(fd);
    return fd;
  }
  // All as long as the first, but the last may be shorter.
  void send_train(int fd, const std::vector<std::string>& train) {
    std::string bytes;
    for (const std::string& one : train) bytes += one;
    iovec span = {bytes.data(), bytes.size()};
    msghdr header = {};
    header.msg_iov = &span;
    header.msg_iovlen = 1;
    SegmentControl segments;
    if (train.size() > 1) set_segments(&header, &segments, static_cast<uint16_t>(train[0].size()));
    ASSERT_EQ(sendmsg(fd, &header, 0), static_cast<ssize_t>(bytes.size())) << strerror(errno);
  }
  int descriptor_of(uint16_t port) {
    for (int fd = 3; fd < 256; fd++) {
      sockaddr_in address = {};
      socklen_t bytes = sizeof address;
      if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) == 0 && ntohs(address.sin_port) == port)
        return fd;
    }
    return -1;
  }

  uint32_t& tail() { return cursors[static_cast<uint32_t>(DatagramControl::SendTail)]; }
  uint32_t* next_entry() { return &sends[(tail() & (kDatagramSends - 1)) * kWords]; }
  void put(uint32_t handle, const std::string& bytes, const uint32_t* peer = nullptr) {
    uint32_t* entry = next_entry();
    memset(entry, 0, kWords * sizeof *entry);
    memcpy(&send[position], bytes.data(), bytes.size());
    entry[at(DatagramWord::Handle)] = handle;
    entry[at(DatagramWord::Offset)] = position;
    entry[at(DatagramWord::Length)] = static_cast<uint32_t>(bytes.size());
    if (peer != nullptr) memcpy(entry + at(DatagramWord::Port), peer, 6 * sizeof *peer);
    position += static_cast<uint32_t>(bytes.size());
    tail()++;
  }
  void put_raw(uint32_t handle, uint32_t offset, uint32_t length, uint32_t port) {
    uint32_t* entry = next_entry();
    memset(entry, 0, kWords * sizeof *entry);
    entry[at(DatagramWord::Handle)] = handle;
    entry[at(DatagramWord::Offset)] = offset;
    entry[at(DatagramWord::Length)] = length;
    entry[at(DatagramWord::Port)] = port;
    tail()++;
  }
  uint32_t take_sends() {
    uint32_t faults = datagrams->take_sends();
    position = 0;
    return faults;
  }
  bool submit(Submission kind, uint32_t handle, uint32_t a = 0, uint32_t flags = 0) {
    Record record = {};
    record.head = static_cast<uint32_t>(kind) | flags;
    record.handle = handle;
    record.a = a;
    return datagrams->submit(record);
  }

  // What JavaScript does in a tick.
  void drain() {
    uint32_t& head = control[static_cast<uint32_t>(Control::CompletionHead)];
    for (; head != control[static_cast<uint32_t>(Control::CompletionTail)]; head++) {
      const Record& record = records[head & (kCompletionCapacity - 1)];
      auto kind = static_cast<Completion>(record.head & 0xff);
      seen.push_back({kind, record.handle, record.a, record.b});
      if (kind != Completion::Datagrams) continue;
      for (uint32_t i = record.a; i < record.a + record.b; i++) {
        const uint32_t* entry = &receives[i * kWords];
        Got one = {record.handle, static_cast<int>(entry[0]), "", false, {}};
        memcpy(one.peer, entry + at(DatagramWord::Port), sizeof one.peer);
        if (one.error == 0) {
          uint32_t length = entry[at(DatagramWord::Length)] & (kDatagramTruncated - 1);
          one.truncated = (entry[at(DatagramWord::Length)] & kDatagramTruncated) != 0;
          one.bytes.assign(reinterpret_cast<char*>(&receive[entry[at(DatagramWord::Offset)]]), length);
        }
        got.push_back(one);
        if (on_datagram && one.error == 0) on_datagram(entry);
      }
    }
  }
  // One turn of the loop, in the order of the addon's tick.
  void turn() {
    take_sends();
    datagrams->flush();
    uv_run(&loop, UV_RUN_NOWAIT);
    datagrams->harvest();
    drain();
    take_sends();
    datagrams->release_delivered();
    datagrams->flush();
  }
  bool run_until(const std::function<bool()>& done) {
    for (int i = 0; i < 5000 && !done(); i++) {
      turn();
      if (i > 10) usleep(1000);
    }
    return done();
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (const Got& one : got) all.push_back(one.bytes);
    return all;
  }
  bool saw(Completion kind, uint32_t handle) {
    for (const Seen& one : seen) {
      if (one.kind == kind && one.handle == handle) return true;
    }
    return false;
  }

  uv_loop_t loop;
  uv_prepare_t prepare;
  CompletionRing completions;
  uint32_t control[static_cast<uint32_t>(Control::Words)] = {};
  Record records[kCompletionCapacity] = {};
  std::vector<uint8_t> receive, send;
  std::vector<uint32_t> receives, sends, queued;
  uint32_t cursors[static_cast<uint32_t>(DatagramControl::Words)] = {};
  uint32_t position = 0;
  std::unique_ptr<Datagrams> datagrams;
  std::vector<Seen> seen;
  std::vector<Got> got;
  std::function<void(const uint32_t* entry)> on_datagram;
  std::vector<int> senders;
};

inline std::string numbered(int i, size_t bytes) {
  std::string text = std::to_string(i);
  text.resize(std::max(bytes, text.size()), 'x');
  return text;
}

}  // namespace millrace

#endif  // MILLRACE_TESTS_DATAGRAMS_FIXTURE_H_
