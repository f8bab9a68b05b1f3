// Unix sockets: paths and abstract names, the file's mode, the peer's credentials, and where they differ from TCP.
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/io_host.h"

namespace millrace {
namespace {

class Unix : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    char folder[] = "/tmp/millrace-unix-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path = folder_ + "/socket";
  }
  void TearDown() override {
    host.reset();
    unlink(path.c_str());
    rmdir(folder_.c_str());
  }
  Peer connect_to(const SocketAddress& address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, &address.base, address.bytes), 0) << strerror(errno);
    return Peer(fd);
  }
  Peer connect_peer_to(const SocketAddress& address, uint32_t* socket) {
    Peer peer = connect_to(address);
    EXPECT_TRUE(host->run_until([&] { return host->find(Completion::Accept, listener) != nullptr; }));
    *socket = host->find(Completion::Accept, listener)->a;
    return peer;
  }
  std::string text_of(uint32_t handle, bool is_peer) {
    SocketAddress name;
    EXPECT_EQ(host->backend->name_of(handle, is_peer, &name), 0);
    EXPECT_EQ(name.base.sa_family, AF_UNIX);
    return std::string(name.un.sun_path, name.bytes - offsetof(sockaddr_un, sun_path));
  }

  std::string path;

 private:
  std::string folder_;
};
INSTANTIATE_TEST_SUITE_P(Backends, Unix, kBackends, backend_of);

TEST_P(Unix, CarriesDataOverAPathAndAnAbstractName) {
  for (const std::string& text : {path, std::string("\0millrace-test-", 15) + std::to_string(getpid())}) {
    host->events.clear();
    ASSERT_EQ(host->backend->listen(unix_address(text), 16, 0, 0, &listener), 0);
    uint32_t client = 0;
    ASSERT_EQ(host->backend->connect(unix_address(text), {}, &client), 0);
    host->send(client, "early");
    EXPECT_TRUE(host->run_until([&] { return host->find(Completion::Accept, listener) != nullptr; }));
    uint32_t server = host->find(Completion::Accept, listener)->a;
    EXPECT_TRUE(host->run_until([&] { return host->data_of(server) == "early"; }));
    std::string expected = text[0] == 0 ? text : text + '\0';
    EXPECT_EQ(text_of(listener, false), expected);
    EXPECT_EQ(text_of(server, false), expected);
    EXPECT_EQ(text_of(client, true), expected);
    EXPECT_EQ(text_of(server, true), "");
    host->submit(Submission::Shutdown, client);
    EXPECT_TRUE(host->run_until([&] { return host->count(Completion::End, server) == 1; }));
    for (uint32_t handle : {client, server, listener}) host->close(handle);
    EXPECT_TRUE(closed(client) && closed(server) && closed(listener));
  }
}

TEST_P(Unix, TellsThatNobodyListens) {
  uint32_t client;
  ASSERT_EQ(host->backend->connect(unix_address(path), {}, &client), 0);
  EXPECT_TRUE(closed(client));
  EXPECT_EQ(static_cast<int32_t>(host->find(Completion::Connect, client)->a), -ENOENT);
  // A file that somebody left.
  ASSERT_EQ(host->backend->listen(unix_address(path), 16, 0, 0, &listener), 0);
  host->close(listener);
  EXPECT_TRUE(closed(listener));
  ASSERT_EQ(host->backend->connect(unix_address(path), {}, &client), 0);
  EXPECT_TRUE(closed(client));
  EXPECT_EQ(static_cast<int32_t>(host->find(Completion::Connect, client)->a), -ECONNREFUSED);
  EXPECT_EQ(host->backend->listen(unix_address(path), 16, 0, 0, &listener), -EADDRINUSE);
}

TEST_P(Unix, GivesTheFileTheModeThatWasAskedFor) {
  mode_t umask_before = umask(027);
  for (uint32_t mode : {0u, 0600u, 0666u, 0777u, 0111u}) {
    ASSERT_EQ(host->backend->listen(unix_address(path), 16, 0, mode, &listener), 0);
    struct stat made;
    ASSERT_EQ(stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, mode == 0 ? 0750 : mode);
    host->close(listener);
    EXPECT_TRUE(closed(listener));
    unlink(path.c_str());
  }
  umask(umask_before);
}

TEST_P(Unix, KnowsThePeersCredentials) {
  ASSERT_EQ(host->backend->listen(unix_address(path), 16, 0, 0, &listener), 0);
  uint32_t socket;
  Peer peer = connect_peer_to(unix_address(path), &socket);
  Credentials credentials = {};
  EXPECT_EQ(host->backend->credentials_of(socket, &credentials), 0);
  EXPECT_EQ(credentials.pid, getpid());
  EXPECT_EQ(credentials.uid, getuid());
  EXPECT_EQ(credentials.gid, getgid());
  EXPECT_EQ(host->backend->credentials_of(listener, &credentials), -ENOTSUP);
  uint32_t tcp;
  listener = host->listen();
  Peer other = connect_peer(&tcp);
  EXPECT_EQ(host->backend->credentials_of(tcp, &credentials), -ENOTSUP);
}

TEST_P(Unix, OptionsOfTcpAreNotItsOwn) {
  ASSERT_EQ(host->backend->listen(unix_address(path), 16, 0, 0, &listener), 0);
  uint32_t socket;
  Peer peer = connect_peer_to(unix_address(path), &socket);
  int value = 0;
  EXPECT_EQ(host->backend->set_option(socket, SocketOption::NoDelay, 1), -ENOTSUP);
  EXPECT_EQ(host->backend->get_option(socket, SocketOption::NoDelay, &value), -ENOTSUP);
  EXPECT_EQ(host->backend->set_option(socket, SocketOption::SendBuffer, 100'000), 0);
}

// A close with unread data in the buffer would be ECONNRESET for the peer.
TEST_P(Unix, UnreadDataIsNoErrorForThePeer) {
  ASSERT_EQ(host->backend->listen(unix_address(path), 16, 0, 0, &listener), 0);
  uint32_t socket;
  Peer peer = connect_peer_to(unix_address(path), &socket);
  host->submit(Submission::Pause, socket);
  host->run_idle(3);
  peer.send(std::string(50'000, 'u'));
  host->send(socket, "bye");
  host->close(socket);
  EXPECT_TRUE(closed(socket));
  peer.take();
  EXPECT_EQ(peer.received, "bye");
  EXPECT_TRUE(peer.ended) << strerror(peer.error);
}

TEST_P(Unix, ContinuesAfterPartialWritesToASlowReader) {
  ASSERT_EQ(host->backend->listen(unix_address(path), 16, 0, 0, &listener), 0);
  uint32_t socket;
  Peer peer = connect_peer_to(unix_address(path), &socket);
  std::string block(kSendBlockBytes, 's');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->close(socket);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(100'000), peer.ended || peer.error != 0; }));
  EXPECT_TRUE(peer.ended) << strerror(peer.error);
  EXPECT_EQ(peer.received.size(), size_t{100} * kSendBlockBytes);
  EXPECT_TRUE(closed(socket));
}

}  // namespace
}  // namespace millrace
