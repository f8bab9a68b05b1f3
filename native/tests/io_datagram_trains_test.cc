// Trains: datagrams of one peer that the kernel gives as one message (UDP_GRO).
#include <netinet/in.h>

#include <cstring>
#include <string>
#include <vector>

#include "datagrams_fixture.h"

namespace millrace {
namespace {

TEST_F(DatagramsTest, ATrainIsReceivedAsOneMessageAndCutIntoItsDatagrams) {
  uint32_t server = bind();
  int descriptor = descriptor_of(port_of(server));
  if (!has_segments(descriptor) || !receive_trains(descriptor)) GTEST_SKIP() << "an older kernel";
  int one = open_sender(port_of(server)), other = open_sender(port_of(server));
  std::vector<std::string> sent[2];
  struct {
    int sender;
    size_t count, bytes, last;
  } trains[] = {{0, 60, 64, 64}, {1, 50, 1232, 1},     {0, 1, 0, 0},       {1, 64, 1, 1},
                {0, 2, 1232, 7}, {1, 1, 60000, 60000}, {0, 64, 1000, 999}, {1, 3, 10, 9}};
  for (const auto& train : trains) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < train.count; i++) {
      size_t bytes = i + 1 < train.count ? train.bytes : train.last;
      texts.push_back(std::to_string(1000 + sent[train.sender].size() + i) + std::string(1232, 'x'));
      texts.back().resize(bytes, 'y');
    }
    send_train(train.sender == 0 ? one : other, texts);
    for (const std::string& text : texts) sent[train.sender].push_back(text);
  }
  size_t count = sent[0].size() + sent[1].size();
  uint64_t calls = datagrams->counters().kernel_entries;
  ASSERT_TRUE(run_until([&] { return got.size() == count; }));
  // One for all of them, with what it takes to poll.
  EXPECT_LE(datagrams->counters().kernel_entries - calls, 2u);
  EXPECT_EQ(datagrams->counters().received, count);

  uint32_t port = got[0].port();
  std::vector<std::string> texts[2];
  for (const Got& datagram : got) {
    EXPECT_EQ(datagram.error, 0);
    EXPECT_FALSE(datagram.truncated);
    EXPECT_EQ(datagram.peer[1], htonl(INADDR_LOOPBACK));
    texts[datagram.port() == port ? 0 : 1].push_back(datagram.bytes);
  }
  EXPECT_EQ(texts[0], sent[0]);
  EXPECT_EQ(texts[1], sent[1]);
  got.clear();
  // The next batch is read into places as large as the longest train.
  send_train(one, {numbered(1, 100), numbered(2, 100), "3"});
  ASSERT_TRUE(run_until([&] { return got.size() == 3; }));
  EXPECT_EQ(texts[0].size() + texts[1].size(), count);
  EXPECT_EQ(got[2].bytes, "3");
}

TEST_F(DatagramsTest, InATrainToEachDatagramIsCutByItself) {
  uint32_t server = bind(100);
  if (!has_segments(descriptor_of(port_of(server)))) GTEST_SKIP() << "an older kernel";
  int sender = open_sender(port_of(server));
  send_train(sender, {numbered(1, 120), numbered(2, 120), numbered(3, 100)});
  send_train(sender, {numbered(4, 100), numbered(5, 100)});
  ASSERT_TRUE(run_until([&] { return got.size() == 5; }));
  for (int i = 0; i < 5; i++) {
    EXPECT_EQ(got[static_cast<size_t>(i)].bytes, numbered(i + 1, 100));
    EXPECT_EQ(got[static_cast<size_t>(i)].truncated, i < 2);
  }
}

TEST_F(DatagramsTest, ATrainOnAnIpv6SocketNamesItsSender) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  uint32_t server = 0, bytes = sizeof address;
  if (datagrams->bind(reinterpret_cast<sockaddr*>(&address), bytes, 0, 1500, &server) != 0) GTEST_SKIP() << "no IPv6";
  ASSERT_EQ(datagrams->name_of(server, false, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  int sender = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  senders.push_back(sender);
  ASSERT_EQ(::connect(sender, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  if (!has_segments(sender)) GTEST_SKIP() << "an older kernel";
  sockaddr_in6 own = {};
  socklen_t own_bytes = sizeof own;
  getsockname(sender, reinterpret_cast<sockaddr*>(&own), &own_bytes);
  send_train(sender, {numbered(1, 50), numbered(2, 50), "3"});
  ASSERT_TRUE(run_until([&] { return got.size() == 3; }));
  EXPECT_EQ(got[1].bytes, numbered(2, 50));
  for (const Got& one : got) {
    EXPECT_EQ(one.peer[0], ntohs(own.sin6_port) | kDatagramAddressed | kDatagramIpv6);
    EXPECT_EQ(memcmp(&one.peer[1], &in6addr_loopback, 16), 0);
  }
}

// Which datagrams of `count` trains of `length` each arrived, as numbers.
class TrainsTest : public DatagramsTest {
 protected:
  void send_numbered(int fd, int count, int length) {
    for (int i = 0; i < count; i++) {
      std::vector<std::string> train;
      for (int j = 0; j < length; j++) train.push_back(numbered(next++, 20));
      send_train(fd, train);
    }
  }
  void expect_all_in_order() {
    for (size_t i = 0; i < got.size(); i++) {
      ASSERT_EQ(got[i].error, 0);
      ASSERT_EQ(got[i].bytes, numbered(100000 + static_cast<int>(i), 20));
    }
  }
  int next = 100000;
  size_t sent() const { return static_cast<size_t>(next - 100000); }
};

TEST_F(TrainsTest, WhatTheTableHasNoRoomForComesInTheNextTick) {
  uint32_t server = bind();
  if (!has_segments(descriptor_of(port_of(server)))) GTEST_SKIP() << "an older kernel";
  EXPECT_EQ(datagrams->set_option(server, DatagramOption::ReceiveBuffer, 4 << 20), 0);
  int sender = open_sender(port_of(server));
  // More than three tables full, and only one batch of messages.
  send_numbered(sender, 60, 60);
  datagrams->flush();
  uv_run(&loop, UV_RUN_NOWAIT);
  EXPECT_EQ(datagrams->counters().received, kDatagramReceives);
  // JavaScript is late: nothing is written over, and nothing overtakes what waits.
  send_numbered(sender, 1, 10);
  datagrams->flush();
  uv_run(&loop, UV_RUN_NOWAIT);
  EXPECT_EQ(datagrams->counters().received, kDatagramReceives);
  drain();
  datagrams->release_delivered();
  // There is something for JavaScript, though the kernel says nothing.
  EXPECT_TRUE(datagrams->flush());
  ASSERT_TRUE(run_until([&] { return got.size() == sent(); }));
  expect_all_in_order();
  // From now on the batch is as small as the room: nothing is kept.
  got.clear();
  next = 100000;
  send_numbered(sender, 60, 60);
  ASSERT_TRUE(run_until([&] { return got.size() == sent(); }));
  expect_all_in_order();
}

TEST_F(TrainsTest, APausedSocketKeepsTheRestOfATrainToo) {
  uint32_t server = bind(), bystander = bind();
  if (!has_segments(descriptor_of(port_of(server)))) GTEST_SKIP() << "an older kernel";
  EXPECT_EQ(datagrams->set_option(server, DatagramOption::ReceiveBuffer, 4 << 20), 0);
  send_numbered(open_sender(port_of(server)), 40, 50);
  turn();
  ASSERT_EQ(got.size(), kDatagramReceives);
  submit(Submission::DatagramRead, server, 0);
  size_t before = got.size();
  // The end of the turn had put some of the rest into the table before the pause.
  for (int i = 0; i < 3; i++) turn();
  EXPECT_LE(got.size(), before + kDatagramReceives / 2);
  EXPECT_LT(got.size(), sent());
  EXPECT_FALSE(datagrams->flush());
  before = got.size();
  send_train(open_sender(port_of(bystander)), {"a", "b", "c"});
  ASSERT_TRUE(run_until([&] { return got.size() == before + 3; }));
  got.resize(before);
  submit(Submission::DatagramRead, server, 1);
  ASSERT_TRUE(run_until([&] { return got.size() == sent(); }));
  expect_all_in_order();
}

TEST_F(TrainsTest, ACloseDropsTheRestOfATrain) {
  uint32_t server = bind(), ends_with_loop = bind();
  if (!has_segments(descriptor_of(port_of(server)))) GTEST_SKIP() << "an older kernel";
  for (uint32_t handle : {server, ends_with_loop}) {
    EXPECT_EQ(datagrams->set_option(handle, DatagramOption::ReceiveBuffer, 4 << 20), 0);
  }
  send_numbered(open_sender(port_of(server)), 40, 50);
  turn();
  ASSERT_EQ(got.size(), kDatagramReceives);
  submit(Submission::DatagramClose, server);
  drain();
  datagrams->release_delivered();
  size_t before = got.size();
  EXPECT_TRUE(run_until([&] { return saw(Completion::DatagramClosed, server); }));
  EXPECT_EQ(got.size(), before);
  EXPECT_EQ(seen.back().b, 0u);
  send_numbered(open_sender(port_of(ends_with_loop)), 40, 50);
  turn();
}

TEST(SegmentBytes, AreThoseThatTheKernelTells) {
  SegmentControl control = {};
  msghdr header = {};
  EXPECT_EQ(segment_bytes_of(&header), 0);
  set_segments(&header, &control, 1232);  // of the other direction
  cmsghdr* message = CMSG_FIRSTHDR(&header);
  EXPECT_EQ(segment_bytes_of(&header), 0);
  message->cmsg_type = 104;  // UDP_GRO
  int bytes = 1232;
  message->cmsg_len = CMSG_LEN(sizeof bytes);
  memcpy(CMSG_DATA(message), &bytes, sizeof bytes);
  EXPECT_EQ(segment_bytes_of(&header), 1232);
  header.msg_flags = MSG_CTRUNC;
  EXPECT_LT(segment_bytes_of(&header), 0);
}

}  // namespace
}  // namespace millrace
