// Another load generator: the clocks are read before it begins and when it has ended, so that what it counts in all is held
// against all that the server has worked for it.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "meter.h"
#include "modes.h"

namespace load {
namespace {

constexpr int kCannotExecute = 127;

// What it prints is nobody's: standard output is for our result.
[[noreturn]] void Become(char* const* command) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  execvp(command[0], command);
  _exit(kCannotExecute);
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

Json RunBeside(const Options& options) {
  const Meter meter(options.server_pid);
  const Edge from = meter.Read(0);
  const pid_t child = fork();
  if (child < 0) Fail(kUsage, "cannot fork: %s", strerror(errno));
  if (child == 0) Become(options.command);
  int status = 0;
  rusage used{};
  pid_t ended = -1;
  do {
    ended = wait4(child, &status, 0, &used);
  } while (ended < 0 && errno == EINTR);
  if (ended < 0) Fail(kUsage, "cannot wait for %s: %s", options.command[0], strerror(errno));
  const Window window{from, meter.Read(0)};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    Fail(kServerFailed, "%s has failed (status %d)", options.command[0], status);
  }
  Json json;
  json.Text("mode", "beside")
      .Real("seconds", window.seconds(), 6)
      .Real("loadCpuSeconds", SecondsOf(used.ru_utime) + SecondsOf(used.ru_stime), 6)
      .Real("serverCpuSeconds", window.server_cpu_seconds(), 6);
  return json;
}

}  // namespace load
