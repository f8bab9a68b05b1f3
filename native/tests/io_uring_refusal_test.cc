// Where io_uring is not allowed, opening it says so and harms nothing. Each case is a process of its own, with a filter.
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/io_host.h"

namespace millrace {
namespace {

void forbid(long system_call, int error) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(system_call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit(3);
}

int lowest_free_descriptor() {
  int fd = dup(0);
  close(fd);
  return fd;
}

// 0: refused, with that word in the reason, and no descriptor left behind.
int refusal(long system_call, int error, const char* word) {
  pid_t child = fork();
  if (child == 0) {
    forbid(system_call, error);
    int before = lowest_free_descriptor();
    const char* reason = nullptr;
    if (create_uring_backend(&reason) != nullptr) _exit(1);
    if (reason == nullptr || strstr(reason, word) == nullptr) _exit(2);
    _exit(lowest_free_descriptor() == before ? 0 : 4);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(UringRefusal, NamesTheSeccompProfile) { EXPECT_EQ(refusal(SYS_io_uring_setup, EPERM, "seccomp"), 0); }
TEST(UringRefusal, NamesAKernelWithoutIt) { EXPECT_EQ(refusal(SYS_io_uring_setup, ENOSYS, "no io_uring"), 0); }
TEST(UringRefusal, NamesAKernelThatIsTooOld) { EXPECT_EQ(refusal(SYS_io_uring_setup, EINVAL, "6.1"), 0); }
TEST(UringRefusal, NamesMemory) { EXPECT_EQ(refusal(SYS_io_uring_setup, ENOMEM, "memory"), 0); }
// The set-up passes, what follows does not.
TEST(UringRefusal, LooksAtWhatFollowsTheSetUp) {
  EXPECT_EQ(refusal(SYS_io_uring_register, EPERM, "filter"), 0);
  EXPECT_EQ(refusal(SYS_eventfd2, EMFILE, "descriptor"), 0);
}

// 0: a backend with sends that wait in the kernel was stopped, although the kernel took no cancellation.
int stop_without_cancellation() {
  pid_t child = fork();
  if (child == 0) {
    auto host = std::make_unique<Host>("uring");
    if (host->missing) _exit(0);
    uint32_t listener = host->listen();
    Peer peer = Peer::connect_to(host->port_of(listener), 4096);
    if (!host->run_until([&] { return host->find(Completion::Accept, listener) != nullptr; })) _exit(1);
    uint32_t socket = host->find(Completion::Accept, listener)->a;
    std::string block(kSendBlockBytes, 'w');
    for (int i = 0; i < 100; i++) host->send(socket, block);
    host->run_idle(5);
    if (host->backend->counters().operations_in_flight == 0) _exit(2);
    forbid(SYS_io_uring_enter, EBUSY);
    host->stop();
    host.reset();
    peer.take();
    _exit(testing::Test::HasFailure() ? 4 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(UringRefusal, ABackendStopsWhenTheKernelTakesNoCancellation) { EXPECT_EQ(stop_without_cancellation(), 0); }

}  // namespace
}  // namespace millrace
