// Opening, the tick's two phases, and the end.
#ifdef __linux__
#include "io/uring/uring_backend.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cassert>
#include <new>

#include "io/descriptor.h"

namespace millrace {
namespace {

// Small on purpose: the queues are walked round and round, and would push other data out of the cache. A full submission
// queue is submitted early, an overflowing completion queue is kept by the kernel.
constexpr uint32_t kSubmissionEntries = 256;
constexpr uint32_t kCompletionEntries = 4096;

constexpr int kHarvestRoundsMax = 1024;  // of 20 items each, see below
constexpr int kFlushRoundsMax = 4;

constexpr int kStopRoundsMax = 100;
constexpr int64_t kStopRoundMs = 10;

const char* reason_of(int error) {
  switch (-error) {
    case EPERM:
    case EACCES:
      return "io_uring is not permitted here (EPERM): a seccomp profile blocks it, as Docker's default does, or "
             "kernel.io_uring_disabled is set.";
    case ENOSYS:
      return "This kernel has no io_uring (ENOSYS).";
    case EINVAL:
      return "This kernel's io_uring is too old (EINVAL): Linux 6.1 or later is needed.";
    case ENOMEM:
      return "There is not enough memory for io_uring's queues (ENOMEM), or RLIMIT_MEMLOCK is too low.";
    case EMFILE:
    case ENFILE:
      return "No file descriptor was left to open io_uring with (EMFILE).";
    default:
      return "io_uring could not be opened, for a reason that is not known here.";
  }
}

}  // namespace

int UringBackend::open(const char** reason) {
  int error = ring_.open(kSubmissionEntries, kCompletionEntries);
  if (error == 0) {
    for (uint8_t operation : {IORING_OP_ACCEPT, IORING_OP_CONNECT, IORING_OP_RECV, IORING_OP_SEND, IORING_OP_SENDMSG,
                              IORING_OP_ASYNC_CANCEL}) {
      if (ring_.supports(operation)) continue;
      *reason = "This kernel's io_uring lacks an operation for sockets, or a filter hides it.";
      return -ENOSYS;
    }
    error = buffers_.open(ring_);
  }
  if (error == 0) {
    eventfd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    // DEFER_TASKRUN: the ring's own descriptor does not wake epoll, a registered eventfd does.
    error = eventfd_ < 0 ? -errno : ring_.register_with_kernel(IORING_REGISTER_EVENTFD, &eventfd_, 1);
  }
  if (error != 0) *reason = reason_of(error);
  return error;
}

UringBackend::~UringBackend() {
  ring_.close();
  if (eventfd_ >= 0) close_descriptor(eventfd_);
}

int UringBackend::start(uv_loop_t* loop, CompletionRing* completions) {
  // Fails before any handle is the loop's.
  if (int error = uv_poll_init(loop, &wake_, eventfd_); error != 0) return error;
  wake_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&wake_));
  uv_poll_start(&wake_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    uint64_t count;
    [[maybe_unused]] ssize_t result = read(static_cast<UringBackend*>(handle->data)->eventfd_, &count, sizeof count);
  });
  return SocketBackend::start(loop, completions);
}

void UringBackend::start_connection(Socket& socket, const SocketAddress& address) {
  socket.ops.address = new (std::nothrow) SocketAddress(address);
  if (socket.ops.address == nullptr) fail(socket, -ENOMEM, Syscall::Connect);
}

bool UringBackend::harvest() {
  ring_.disable_eventfd();
  if (!pay_owed()) return true;
  for (int round = 0; round < kHarvestRoundsMax; round++) {
    if (!reap()) return true;
    if (!ring_.has_work()) return !pay_owed();
    // Each call does 20 items of work at most (Linux 6.1 to 6.18), and sets the flag again when some are left.
    ring_.get_events();
  }
  pay_owed();
  return true;
}

bool UringBackend::flush() {
  bool settled = false;
  for (int round = 0; round < kFlushRoundsMax && !settled; round++) {
    bool paid = pay_owed();
    buffers_.replenish(pool_, resources_.arenas.receive);
    feed_starved();
    queue_full_ = false;
    bool all = advance_dirty();
    if (ring_.submit() == 0 && ring_.unsubmitted() == 0) messages_used_ = 0;
    // Most sends are done by now; with them go the holds on the buffers that the next receives then use again.
    bool reaped = paid && reap();
    settled = all && reaped && no_dirty();
    if (queue_full_ || !paid) break;
  }
  // Buffers that came back in the last round are not in the ring yet, and nothing else would wake the loop for them.
  bool fed = starved_.empty() || (buffers_.held() == 0 && pool_.free_count() == 0);
  if (!pay_owed() || !settled || !fed || !completions_->empty() || ring_.unsubmitted() > 0) return true;
  ring_.enable_eventfd();
  if (ring_.front() == nullptr && !ring_.has_work()) return false;
  ring_.disable_eventfd();
  return true;
}

BackendCounters UringBackend::counters() const {
  BackendCounters counters = SocketBackend::counters();
  counters.kernel_entries += ring_.enters();
  counters.receive_buffers_in_use = kReceiveBuffers - pool_.free_count() - buffers_.held();
  return counters;
}

void UringBackend::stop(void (*on_stopped)(void*), void* data) {
  assert(on_stopped_ == nullptr);
  on_stopped_ = on_stopped;
  stopped_data_ = data;
  // Not for ever, if a kernel should keep one or take no cancellation. Rounds without progress count: each ends as few as
  // 20 operations.
  bool cancelled = false;
  for (int round = 0; round < kStopRoundsMax && operations_ > 0; round++) {
    if (!cancelled) cancelled = cancel_everything();
    uint32_t before = operations_;
    while (const io_uring_cqe* entry = ring_.front()) {
      io_uring_cqe seen = *entry;
      ring_.pop();
      forget(seen.user_data, seen.res, seen.flags);
    }
    if (operations_ < before) round = 0;
    if (operations_ > 0) ring_.get_events(kStopRoundMs);
  }
  // What is left is ended by closing the ring, later and by nobody's thread but the kernel's: it is failed there, not
  // carried out, since with DEFER_TASKRUN a socket's operation moves bytes only inside enter(). One that the kernel had
  // handed to a worker of its own may read on for a moment, so the memory of such sends is given up, not given back.
  if (operations_ > 0) {
    sockets_.for_each([](uint32_t, Socket& socket) {
      if ((socket.ops.armed & kSend) != 0) socket.sends.abandon();
    });
  }
  ring_.close();
  sockets_.for_each([this](uint32_t, Socket& socket) {
    forget_address(socket);
    close_at_stop(socket);
  });
  handles_closing_ = 2;
  close_shared_handles();
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_),
           [](uv_handle_t* handle) { static_cast<UringBackend*>(handle->data)->handle_closed(); });
}

void UringBackend::handle_closed() {
  if (--handles_closing_ == 0) on_stopped_(stopped_data_);
}

Backend* create_uring_backend(const char** reason) {
  auto* backend = new (std::nothrow) UringBackend;
  if (backend == nullptr) {
    *reason = reason_of(-ENOMEM);
    return nullptr;
  }
  if (backend->open(reason) == 0) return backend;
  delete backend;
  return nullptr;
}

}  // namespace millrace
#endif  // __linux__
