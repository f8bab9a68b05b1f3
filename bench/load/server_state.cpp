#include "server_state.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <memory>

#include "fail.h"

namespace load {
namespace {

struct CloseFile {
  void operator()(FILE* file) const { fclose(file); }
};
struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

constexpr unsigned kTimeWait = 6;  // TCP_TIME_WAIT of the kernel's tcp_states.h

}  // namespace

Json Memory::Written() const {
  Json json;
  return json.Count("rssBytes", rss_bytes)
      .Count("pssBytes", pss_bytes)
      .Count("privateBytes", private_bytes)
      .Count("anonymousBytes", anonymous_bytes);
}

Memory ReadMemory(uint32_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/smaps_rollup", pid);
  const std::unique_ptr<FILE, CloseFile> file(fopen(path, "r"));
  if (!file) Fail(kServerFailed, "%s: %s", path, strerror(errno));
  Memory memory;
  char line[256];
  while (fgets(line, sizeof line, file.get()) != nullptr) {
    char name[64];
    uint64_t kilobytes = 0;
    if (sscanf(line, "%63[^:]: %" SCNu64 " kB", name, &kilobytes) != 2) continue;
    const uint64_t bytes = kilobytes * 1024;
    if (strcmp(name, "Rss") == 0) memory.rss_bytes = bytes;
    if (strcmp(name, "Pss") == 0) memory.pss_bytes = bytes;
    if (strcmp(name, "Anonymous") == 0) memory.anonymous_bytes = bytes;
    if (strcmp(name, "Private_Clean") == 0 || strcmp(name, "Private_Dirty") == 0) memory.private_bytes += bytes;
  }
  if (memory.rss_bytes == 0) Fail(kServerFailed, "%s has nothing in it: has the server ended?", path);
  return memory;
}

uint64_t CountDescriptors(uint32_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/fd", pid);
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path));
  if (!folder) Fail(kServerFailed, "%s: %s", path, strerror(errno));
  uint64_t count = 0;
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') count++;
  }
  return count;
}

uint64_t CountTimeWait(uint16_t port) {
  const std::unique_ptr<FILE, CloseFile> file(fopen("/proc/net/tcp", "r"));
  if (!file) return 0;
  uint64_t count = 0;
  char line[512];
  while (fgets(line, sizeof line, file.get()) != nullptr) {
    unsigned local_port = 0;
    unsigned state = 0;
    if (sscanf(line, " %*u: %*8x:%4x %*8x:%*4x %2x", &local_port, &state) != 2) continue;
    if (local_port == port && state == kTimeWait) count++;
  }
  return count;
}

}  // namespace load
