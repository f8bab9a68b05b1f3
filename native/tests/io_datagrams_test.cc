// The life of UDP sockets, and both directions of single datagrams.
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "datagrams_fixture.h"

int refuse_sends_with = 0;

extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags) {
  if (refuse_sends_with != 0) {
    errno = refuse_sends_with;
    return -1;
  }
  return static_cast<int>(syscall(SYS_sendmmsg, fd, messages, count, flags));
}

namespace millrace {
namespace {

TEST_F(DatagramsTest, DatagramsOfEverySizeArriveWholeAndInOrder) {
  uint32_t server = bind(), client = bind();
  connect(client, port_of(server));
  std::vector<std::string> sent;
  size_t sizes[] = {64, 64, 64, 10, 64, 0, 64, 1232, 1232, 1233, 1233, 30000, 64, 3000, 65, 65507, 1, 1};
  for (size_t size : sizes) {
    sent.push_back(size == 0 ? "" : numbered(static_cast<int>(sent.size()), size));
    put(client, sent.back());
  }
  EXPECT_TRUE(run_until([&] { return got.size() == sent.size(); }));
  EXPECT_EQ(texts(), sent);
  EXPECT_EQ(datagrams->counters().sent, sent.size());
  EXPECT_EQ(datagrams->counters().received, sent.size());
  EXPECT_EQ(datagrams->counters().sent_bytes, datagrams->counters().received_bytes);
}

TEST_F(DatagramsTest, ManyToOnePeerLeaveInFewCallsAndStayApart) {
  uint32_t server = bind(), client = bind();
  connect(client, port_of(server));
  std::vector<std::string> sent;
  for (int i = 0; i < 200; i++) {
    sent.push_back(numbered(i, 64));
    put(client, sent.back());
  }
  take_sends();
  EXPECT_LE(datagrams->counters().kernel_entries, has_segments(descriptor_of(port_of(client))) ? 1u : 4u);
  EXPECT_TRUE(run_until([&] { return got.size() == sent.size(); }));
  EXPECT_EQ(texts(), sent);
}

TEST_F(DatagramsTest, SendersAreAnsweredFromTheReceiveArena) {
  uint32_t server = bind();
  std::vector<uint32_t> clients;
  for (int i = 0; i < 5; i++) clients.push_back(bind());
  for (uint32_t client : clients) connect(client, port_of(server));
  for (int round = 0; round < 10; round++) {
    for (uint32_t client : clients) put(client, std::to_string(client) + ":" + std::to_string(round));
  }
  on_datagram = [&](const uint32_t* entry) {
    if (got.back().handle != server) return;
    uint32_t* answer = next_entry();
    memcpy(answer, entry, kWords * sizeof *entry);
    answer[at(DatagramWord::Handle)] = server;
    answer[at(DatagramWord::Length)] |= kDatagramReceived;
    tail()++;
  };
  EXPECT_TRUE(run_until([&] { return got.size() == 100; }));
  for (uint32_t client : clients) {
    int round = 0;
    for (const Got& one : got) {
      if (one.handle != client) continue;
      EXPECT_EQ(one.bytes, std::to_string(client) + ":" + std::to_string(round++));
    }
    EXPECT_EQ(round, 10);
  }
}

TEST_F(DatagramsTest, WhatIsTooLongIsCutAndTold) {
  uint32_t server = bind(100), client = bind();
  connect(client, port_of(server));
  for (size_t size : {101, 100, 5000}) put(client, numbered(1, size));
  EXPECT_TRUE(run_until([&] { return got.size() == 3; }));
  EXPECT_EQ(got[0].bytes, numbered(1, 100));
  EXPECT_EQ(got[2].bytes, numbered(1, 100));
  EXPECT_TRUE(got[0].truncated && !got[1].truncated && got[2].truncated);
}

TEST_F(DatagramsTest, ARefusalIsToldAndTheDatagramAfterItIsSent) {
  uint32_t gone = bind(), client = bind();
  uint16_t port = port_of(gone);
  connect(client, port);
  submit(Submission::DatagramClose, gone);
  EXPECT_TRUE(run_until([&] { return saw(Completion::DatagramClosed, gone); }));
  // Not polled: so the next send is given the error of the one before.
  submit(Submission::DatagramRead, client, 0);
  put(client, "nobody");
  take_sends();
  uint32_t back = 0;
  sockaddr_in address = loopback(port);
  EXPECT_EQ(datagrams->bind(reinterpret_cast<sockaddr*>(&address), sizeof address, 0, 1000, &back), 0);
  for (int i = 0; i < 3; i++) put(client, "somebody" + std::to_string(i));
  EXPECT_TRUE(run_until([&] { return got.size() == 4; }));
  EXPECT_EQ(got[0].handle, client);
  EXPECT_EQ(got[0].error, -ECONNREFUSED);
  for (size_t i = 1; i < 4; i++) EXPECT_EQ(got[i].bytes, "somebody" + std::to_string(i - 1));
}

TEST_F(DatagramsTest, AGroupToAnAddressOfTheWrongFamilyIsNotTakenForAReceivedDatagram) {
  uint32_t client = bind();
  uint32_t peer[6] = {9u | kDatagramAddressed | kDatagramIpv6, 0, 0, 0, 0x01000000, 0};
  for (int i = 0; i < 3; i++) put(client, "same length", peer);
  turn();
  turn();
  ASSERT_EQ(got.size(), 3u);
  for (const Got& one : got) EXPECT_EQ(one.error, -EAFNOSUPPORT);
  // It says nothing about segments: they still leave as one message.
  uint32_t server = bind();
  connect(client, port_of(server));
  uint64_t before = datagrams->counters().kernel_entries;
  for (int i = 0; i < 3; i++) put(client, "same length");
  take_sends();
  if (has_segments(descriptor_of(port_of(client)))) {
    EXPECT_EQ(datagrams->counters().kernel_entries, before + 1);
  }
  EXPECT_TRUE(run_until([&] { return got.size() == 6; }));
}

TEST_F(DatagramsTest, SocketsThatAreFloodedLeaveRoomForTheOthers) {
  constexpr size_t kServers = 8;
  std::vector<uint32_t> servers;
  for (size_t i = 0; i < kServers; i++) servers.push_back(bind(100));
  int flood = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  for (int i = 0; i < 20; i++) {
    for (uint32_t server : servers) {
      sockaddr_in to = loopback(port_of(server));
      // As many as the kernel keeps for one socket; what is too much is dropped.
      for (int n = 0; n < 300; n++) sendto(flood, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    }
    turn();
  }
  close(flood);
  for (uint32_t server : servers) {
    auto count = std::count_if(got.begin(), got.end(), [&](const Got& one) { return one.handle == server; });
    EXPECT_GE(static_cast<size_t>(count), got.size() / kServers / 2);
  }
}

TEST_F(DatagramsTest, WhereSegmentsAreRefusedDatagramsAreSentAlone) {
  uint32_t server = bind(), client = bind();
  connect(client, port_of(server));
  int off = 1;  // without a checksum the kernel refuses segments
  ASSERT_EQ(setsockopt(descriptor_of(port_of(client)), SOL_SOCKET, SO_NO_CHECK, &off, sizeof off), 0);
  std::vector<std::string> sent;
  for (int turn = 0; turn < 3; turn++) {
    for (int i = 0; i < 100; i++) {
      sent.push_back(numbered(turn * 100 + i, 64));
      put(client, sent.back());
    }
    EXPECT_TRUE(run_until([&] { return got.size() == sent.size(); }));
  }
  EXPECT_EQ(texts(), sent);
  EXPECT_EQ(datagrams->counters().errors, 0u);
  EXPECT_EQ(queued[client & kSlotMask], 0u);
}

TEST_F(DatagramsTest, WhatTheKernelHasNoRoomForWaitsAndDrains) {
  uint32_t server = bind(), client = bind();
  connect(client, port_of(server));
  refuse_sends_with = EAGAIN;
  std::vector<std::string> sent;
  for (int i = 0; i < 150; i++) {
    sent.push_back(numbered(i, 50));
    put(client, sent.back());
  }
  put(client, "");
  sent.emplace_back();
  EXPECT_EQ(take_sends(), 0u);
  uint32_t slot = client & kSlotMask;
  EXPECT_EQ(queued[slot], 150u * (50 + 64) + 64);
  EXPECT_TRUE(submit(Submission::DatagramNotifyDrain, client, 1000));
  submit(Submission::DatagramRef, client, 0);
  submit(Submission::DatagramRef, server, 0);
  EXPECT_TRUE(datagrams->keeps_alive());
  for (int i = 0; i < 5; i++) turn();
  EXPECT_FALSE(saw(Completion::DatagramDrain, client));
  refuse_sends_with = 0;
  // What comes later goes behind it.
  sent.emplace_back("last");
  put(client, "last");
  EXPECT_TRUE(run_until([&] { return got.size() == sent.size() && saw(Completion::DatagramDrain, client); }));
  EXPECT_EQ(texts(), sent);
  EXPECT_EQ(queued[slot], 0u);
  EXPECT_FALSE(datagrams->keeps_alive());
}

TEST_F(DatagramsTest, CloseLetsWhatWaitsLeaveAndResetDropsIt) {
  uint32_t server = bind(), leaving = bind(), dropped = bind();
  connect(leaving, port_of(server));
  connect(dropped, port_of(server));
  refuse_sends_with = EAGAIN;
  put(leaving, "leaves");
  for (int i = 0; i < 3; i++) put(dropped, "never");
  take_sends();
  EXPECT_TRUE(submit(Submission::DatagramClose, leaving));
  EXPECT_TRUE(submit(Submission::DatagramClose, dropped));
  for (int i = 0; i < 5; i++) turn();
  EXPECT_FALSE(saw(Completion::DatagramClosed, dropped));
  EXPECT_TRUE(submit(Submission::DatagramClose, dropped, 0, kReset));
  EXPECT_TRUE(run_until([&] { return saw(Completion::DatagramClosed, dropped); }));
  EXPECT_EQ(seen.back().a, 3u);
  refuse_sends_with = 0;
  EXPECT_TRUE(run_until([&] { return saw(Completion::DatagramClosed, leaving) && got.size() == 1; }));
  EXPECT_EQ(got[0].bytes, "leaves");
}

TEST_F(DatagramsTest, AnErrorOfASendNamesItsDestinationAndDropsThatOneOnly) {
  uint32_t server = bind(), client = bind();
  uint32_t broadcast[6] = {9 | kDatagramAddressed, 0xffffffff};  // not allowed without the option
  uint32_t fine[6] = {port_of(server) | kDatagramAddressed, htonl(INADDR_LOOPBACK)};
  uint32_t foreign[6] = {9 | kDatagramAddressed | kDatagramIpv6, 0, 0, 0, htonl(1)};
  put(client, "one", fine);
  put(client, "refused", broadcast);
  put(client, "foreign", foreign);
  put(client, "two", fine);
  EXPECT_TRUE(run_until([&] { return got.size() == 4; }));
  std::vector<std::string> arrived;
  std::vector<int> errors;
  for (const Got& one : got) {
    if (one.error == 0) {
      arrived.push_back(one.bytes);
    } else {
      errors.push_back(one.error);
      EXPECT_EQ(one.handle, client);
      EXPECT_EQ(one.port(), 9u);
    }
  }
  EXPECT_EQ(arrived, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(errors, (std::vector<int>{-EACCES, -EAFNOSUPPORT}));
}

TEST_F(DatagramsTest, RefusesEntriesThatNameWhatIsNotThere) {
  uint32_t server = bind(), client = bind();
  connect(client, port_of(server));
  struct {
    uint32_t handle, offset, length, port;
  } cases[] = {
      {client, kDatagramSendBytes, 1, 0},
      {client, kDatagramSendBytes - 1, 2, 0},
      {client, 0xffffffff, 1, 0},
      {client, 0xffffffff, 0xffff, 0},
      {client, 0, kDatagramBytesMax + 1, 0},
      {client, 0, 10 | kDatagramTruncated, 0},
      {client, 0, 10 | 1u << 31, 0},
      {client, 0, 1 | kDatagramReceived, 0},  // nothing has been received
      {client, 0, 10, 1u << 18},
      {client + 100, 0, 10, 0},
      {0xffffffff, 0, 10, 0},
  };
  for (auto [handle, offset, length, port] : cases) {
    put_raw(handle, offset, length, port);
    EXPECT_EQ(take_sends(), 1u) << handle << " " << offset << " " << length << " " << port;
  }
  tail() += kDatagramSends + 1;
  EXPECT_EQ(take_sends(), 1u);
  tail() -= 7;
  EXPECT_EQ(take_sends(), 1u);
  // A stale handle is no fault, and nothing is sent.
  put_raw(client ^ 1u << kSlotBits, 0, 10, 0);
  EXPECT_EQ(take_sends(), 0u);
  put(client, "still works");
  EXPECT_TRUE(run_until([&] { return !got.empty(); }));
  EXPECT_EQ(texts(), std::vector<std::string>{"still works"});
}

TEST_F(DatagramsTest, RefusesSubmissionsThatMakeNoSense) {
  uint32_t socket = bind();
  EXPECT_FALSE(submit(Submission::DatagramRead, socket, 2));
  EXPECT_FALSE(submit(Submission::DatagramRef, socket, 7));
  EXPECT_FALSE(submit(Submission::DatagramRead, socket, 1, kReset));
  EXPECT_FALSE(submit(Submission::DatagramRead, socket + 1, 1));
  EXPECT_FALSE(submit(Submission::Send, socket));
  EXPECT_FALSE(submit(static_cast<Submission>(20), socket));
  EXPECT_TRUE(submit(Submission::DatagramRead, socket ^ 1u << kSlotBits, 1));
  EXPECT_TRUE(submit(Submission::DatagramClose, socket));
  EXPECT_TRUE(submit(Submission::DatagramClose, socket));
  EXPECT_TRUE(run_until([&] { return saw(Completion::DatagramClosed, socket); }));
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_EQ(datagrams->get_option(socket, DatagramOption::Ttl), -EBADF);
}

TEST_F(DatagramsTest, ATableThatIsFullLeavesTheRestToTheKernel) {
  uint32_t server = bind(), client = bind();
  EXPECT_EQ(datagrams->set_option(server, DatagramOption::ReceiveBuffer, 4 << 20), 0);
  connect(client, port_of(server));
  // JavaScript takes nothing: what has been received stays where it is.
  int sent = 0;
  for (int i = 0; i < 40; i++) {
    for (int j = 0; j < 40; j++) put(client, numbered(sent++, 64));
    take_sends();
    datagrams->flush();
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  EXPECT_LE(datagrams->counters().received, kDatagramReceives);
  int dropped = datagrams->get_option(server, DatagramOption::Dropped);
  EXPECT_TRUE(run_until([&] { return static_cast<int>(got.size()) + dropped >= sent; }));
  // In order, and none twice.
  int last = -1;
  for (const Got& one : got) {
    EXPECT_GT(std::stoi(one.bytes), last);
    last = std::stoi(one.bytes);
  }
}

TEST_F(DatagramsTest, APausedSocketKeepsWhatComes) {
  uint32_t server = bind(), client = bind();
  connect(client, port_of(server));
  turn();
  submit(Submission::DatagramRead, server, 0);
  put(client, "kept");
  for (int i = 0; i < 5; i++) turn();
  EXPECT_TRUE(got.empty());
  submit(Submission::DatagramRead, server, 1);
  EXPECT_TRUE(run_until([&] { return got.size() == 1; }));
}

TEST_F(DatagramsTest, EndsWithSocketsInEveryState) {
  uint32_t server = bind(), blocked = bind(), closing = bind(), leaving = bind();
  connect(blocked, port_of(server));
  connect(leaving, port_of(server));
  turn();
  refuse_sends_with = EAGAIN;
  put(blocked, "x");
  put(leaving, "y");
  take_sends();
  submit(Submission::DatagramClose, leaving);
  submit(Submission::DatagramClose, closing);
  datagrams->flush();
  bind();
}

}  // namespace
}  // namespace millrace
