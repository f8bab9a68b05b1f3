#include "options.h"

#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <span>

#include "fail.h"
#include "numbers.h"

namespace load {
namespace {

constexpr double kMaxSeed = 9007199254740992.0;  // 2^53: what a double holds exactly

constexpr const char* kUsageText =
    "millrace-load [MODE] --port P [--option value]...\n"
    "modes: echo (default), udp, http, churn, idle, storm, beside, calibrate, serve, histogram, schedule\n"
    "The options of each mode and what it prints: bench/load/README.md\n";

struct Word {
  const char* text;
  int value;
};

constexpr Word kModes[] = {
    {"echo", static_cast<int>(Mode::kEcho)},         {"udp", static_cast<int>(Mode::kUdp)},
    {"http", static_cast<int>(Mode::kHttp)},         {"churn", static_cast<int>(Mode::kChurn)},
    {"idle", static_cast<int>(Mode::kIdle)},         {"storm", static_cast<int>(Mode::kStorm)},
    {"beside", static_cast<int>(Mode::kBeside)},     {"calibrate", static_cast<int>(Mode::kCalibrate)},
    {"serve", static_cast<int>(Mode::kServe)},       {"histogram", static_cast<int>(Mode::kHistogram)},
    {"schedule", static_cast<int>(Mode::kSchedule)},
};
constexpr Word kArrivals[] = {{"uniform", static_cast<int>(Arrivals::kUniform)},
                              {"poisson", static_cast<int>(Arrivals::kPoisson)}};
constexpr Word kClosers[] = {{"client", static_cast<int>(Closer::kClient)},
                             {"server", static_cast<int>(Closer::kServer)},
                             {"reset", static_cast<int>(Closer::kReset)}};
constexpr Word kWaitings[] = {{"sleep", static_cast<int>(Waiting::kSleep)}, {"spin", static_cast<int>(Waiting::kSpin)}};
constexpr Word kProtocols[] = {{"tcp", static_cast<int>(Protocol::kTcp)},
                               {"udp", static_cast<int>(Protocol::kUdp)},
                               {"http", static_cast<int>(Protocol::kHttp)}};

constexpr uint32_t Bit(Mode mode) { return 1u << static_cast<uint32_t>(mode); }
constexpr uint32_t kEcho = Bit(Mode::kEcho);
constexpr uint32_t kUdp = Bit(Mode::kUdp);
constexpr uint32_t kHttp = Bit(Mode::kHttp);
constexpr uint32_t kChurn = Bit(Mode::kChurn);
constexpr uint32_t kIdle = Bit(Mode::kIdle);
constexpr uint32_t kStorm = Bit(Mode::kStorm);
constexpr uint32_t kBeside = Bit(Mode::kBeside);
constexpr uint32_t kCalibrate = Bit(Mode::kCalibrate);
constexpr uint32_t kServe = Bit(Mode::kServe);
constexpr uint32_t kSchedule = Bit(Mode::kSchedule);
constexpr uint32_t kLoading = kEcho | kUdp | kHttp | kChurn | kIdle | kStorm;

struct Option {
  const char* name;
  uint32_t modes;
  double low;
  double high;
  // Exactly one is set.
  uint32_t Options::*whole = nullptr;
  uint64_t Options::*seed = nullptr;
  double Options::*real = nullptr;
};

constexpr Option kNumbers[] = {
    {.name = "--port", .modes = kLoading, .low = 1, .high = 65535, .whole = &Options::port},
    {.name = "--server-pid", .modes = kLoading | kBeside, .low = 1, .high = 1 << 22, .whole = &Options::server_pid},
    {.name = "--seconds", .modes = kLoading | kCalibrate, .low = 0.01, .high = 3600, .real = &Options::seconds},
    {.name = "--warmup",
     .modes = kEcho | kUdp | kHttp | kChurn | kIdle | kCalibrate,
     .low = 0,
     .high = 3600,
     .real = &Options::warmup_seconds},
    {.name = "--connections",
     .modes = kEcho | kUdp | kHttp | kIdle | kSchedule,
     .low = 1,
     .high = 60000,
     .whole = &Options::connections},
    {.name = "--bytes",
     .modes = kEcho | kUdp | kChurn | kIdle | kStorm,
     .low = 1,
     .high = 1 << 24,
     .whole = &Options::message_bytes},
    {.name = "--in-flight",
     .modes = kEcho | kUdp | kHttp | kIdle,
     .low = 1,
     .high = 4096,
     .whole = &Options::in_flight},
    {.name = "--rate", .modes = kEcho | kUdp | kHttp | kSchedule, .low = 0.1, .high = 1e8, .real = &Options::rate},
    {.name = "--seed",
     .modes = kEcho | kUdp | kHttp | kStorm | kSchedule,
     .low = 0,
     .high = kMaxSeed,
     .seed = &Options::seed},
    {.name = "--drain", .modes = kEcho | kUdp | kHttp, .low = 0, .high = 3600, .real = &Options::drain_seconds},
    {.name = "--timeout", .modes = kUdp | kHttp, .low = 0.001, .high = 60, .real = &Options::timeout_seconds},
    {.name = "--parallel", .modes = kChurn, .low = 1, .high = 4096, .whole = &Options::parallel},
    {.name = "--sources",
     .modes = kEcho | kHttp | kChurn | kIdle | kStorm,
     .low = 0,
     .high = 65536,
     .whole = &Options::sources},
    {.name = "--requests-each", .modes = kHttp, .low = 1, .high = 1e6, .whole = &Options::requests_each},
    {.name = "--interval", .modes = kHttp, .low = 0.1, .high = 60000, .real = &Options::interval_ms},
    {.name = "--greet", .modes = kIdle, .low = 0, .high = 1000, .whole = &Options::greet},
    {.name = "--prime", .modes = kIdle, .low = 0, .high = 60000, .whole = &Options::prime},
    {.name = "--settle", .modes = kIdle, .low = 0, .high = 60, .real = &Options::settle_seconds},
    {.name = "--busy", .modes = kIdle, .low = 0, .high = 60000, .whole = &Options::busy},
    {.name = "--resets", .modes = kStorm, .low = 0, .high = 4096, .whole = &Options::resets},
    {.name = "--vanish", .modes = kStorm, .low = 0, .high = 4096, .whole = &Options::vanish},
    {.name = "--half-close", .modes = kStorm, .low = 0, .high = 4096, .whole = &Options::half_close},
    {.name = "--slow", .modes = kStorm, .low = 0, .high = 4096, .whole = &Options::slow},
    {.name = "--count", .modes = kSchedule, .low = 1, .high = 1e7, .whole = &Options::count},
};

int Choice(const char* name, const char* text, std::span<const Word> words) {
  char choices[200] = "";
  for (const Word& word : words) {
    if (strcmp(word.text, text) == 0) return word.value;
    strncat(choices, choices[0] == '\0' ? "" : ", ", sizeof choices - strlen(choices) - 1);
    strncat(choices, word.text, sizeof choices - strlen(choices) - 1);
  }
  Fail(kUsage, "%s must be one of %s, got %s", name, choices, text);
}

const char* NameIn(std::span<const Word> words, int value) {
  for (const Word& word : words) {
    if (word.value == value) return word.text;
  }
  return "";
}

void Refuse(const Options& options, const char* name, uint32_t modes) {
  if ((modes & Bit(options.mode)) == 0) {
    Fail(kUsage, "%s means nothing to %s", name, NameIn(kModes, static_cast<int>(options.mode)));
  }
}

bool ParseNumber(Options* options, const char* name, const char* text) {
  for (const Option& option : kNumbers) {
    if (strcmp(option.name, name) != 0) continue;
    Refuse(*options, name, option.modes);
    if (option.real != nullptr) {
      options->*option.real = Number(name, text, option.low, option.high);
      return true;
    }
    const uint64_t value = WholeNumber(name, text, option.low, option.high);
    if (option.whole != nullptr) options->*option.whole = static_cast<uint32_t>(value);
    if (option.seed != nullptr) options->*option.seed = value;
    return true;
  }
  return false;
}

bool ParseChoice(Options* options, const char* name, const char* text) {
  if (strcmp(name, "--host") == 0) {
    Refuse(*options, name, kLoading);
    options->host = text;
  } else if (strcmp(name, "--schedule") == 0) {
    Refuse(*options, name, kEcho | kUdp | kHttp | kSchedule);
    options->arrivals = static_cast<Arrivals>(Choice(name, text, kArrivals));
  } else if (strcmp(name, "--wait") == 0) {
    Refuse(*options, name, kEcho | kUdp | kHttp);
    options->waiting = static_cast<Waiting>(Choice(name, text, kWaitings));
  } else if (strcmp(name, "--close") == 0) {
    Refuse(*options, name, kChurn);
    options->closer = static_cast<Closer>(Choice(name, text, kClosers));
  } else if (strcmp(name, "--protocol") == 0) {
    Refuse(*options, name, kServe);
    options->protocol = static_cast<Protocol>(Choice(name, text, kProtocols));
  } else if (strcmp(name, "--server-cpu") == 0) {
    Refuse(*options, name, kCalibrate);
    options->server_cpu = static_cast<int32_t>(WholeNumber(name, text, 0, 4095));
  } else {
    return false;
  }
  return true;
}

// Options of what is asked over HTTP.
bool ParseRequest(Options* options, const char* name, const char* text) {
  if (!ParseRequestOption(name, text, &options->requests)) return false;
  Refuse(*options, name, kHttp | kIdle);
  return true;
}

// What one option alone cannot tell.
void CheckTogether(const Options& options, bool in_flight_given, const char* open_loop_option) {
  const bool measures = (kLoading & Bit(options.mode)) != 0;
  if (measures && options.port == 0) Fail(kUsage, "--port is required");
  if (options.mode == Mode::kSchedule && options.rate == 0) Fail(kUsage, "--rate is required");
  if (options.rate > 0 && in_flight_given) Fail(kUsage, "--in-flight is the closed loop's and --rate the open loop's");
  if (options.rate == 0 && open_loop_option != nullptr) Fail(kUsage, "%s needs --rate", open_loop_option);
  if (options.mode == Mode::kUdp && (options.message_bytes < 16 || options.message_bytes > 65507)) {
    Fail(kUsage, "--bytes must be a whole number from 16 to 65507 over UDP, got %u", options.message_bytes);
  }
  if (options.mode == Mode::kIdle && options.greet == 0 && options.server_pid == 0) {
    Fail(kUsage, "--greet 0 needs --server-pid, to see when the server has accepted all");
  }
  if (options.mode == Mode::kBeside && (options.server_pid == 0 || options.command == nullptr)) {
    Fail(kUsage, "beside needs --server-pid and, behind --, a command");
  }
  if (options.mode == Mode::kHttp && options.requests.empty()) Fail(kUsage, "--request is required");
  const int loops = (options.rate > 0) + (options.requests_each > 0) + (options.interval_ms > 0);
  if (loops > 1) Fail(kUsage, "only one of --rate, --requests-each and --interval");
  if (options.mode == Mode::kStorm && options.resets + options.vanish + options.half_close + options.slow == 0) {
    Fail(kUsage, "storm needs at least one of --resets, --vanish, --half-close, --slow");
  }
}

// Whoever pins it to one means it to have that one, and leaves another for the server.
bool HasCpuOfItsOwn() {
  cpu_set_t own;
  CPU_ZERO(&own);
  return sched_getaffinity(0, sizeof own, &own) == 0 && CPU_COUNT(&own) == 1 && sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

void SetDefaultsOf(Mode mode, Options* options) {
  options->mode = mode;
  if (mode == Mode::kIdle) {
    options->connections = 10'000;
    options->sources = 16;
  }
  if (mode == Mode::kChurn || mode == Mode::kStorm) options->sources = 64;
  if (mode == Mode::kHttp) options->timeout_seconds = 1;
  if (mode == Mode::kStorm) options->message_bytes = 1 << 18;
}

}  // namespace

const char* NameOf(Arrivals arrivals) { return NameIn(kArrivals, static_cast<int>(arrivals)); }
const char* NameOf(Closer closer) { return NameIn(kClosers, static_cast<int>(closer)); }
const char* NameOf(Waiting waiting) { return NameIn(kWaitings, static_cast<int>(waiting)); }

Options ParseOptions(int argc, char** argv) {
  Options options;
  int next = 1;
  if (argc > 1 && argv[1][0] != '-') {
    SetDefaultsOf(static_cast<Mode>(Choice("the mode", argv[1], kModes)), &options);
    next = 2;
  }
  options.waiting = HasCpuOfItsOwn() ? Waiting::kSpin : Waiting::kSleep;
  bool in_flight_given = false;
  const char* open_loop_option = nullptr;
  for (; next < argc; next += 2) {
    const char* name = argv[next];
    if (strcmp(name, "--help") == 0) {
      fputs(kUsageText, stdout);
      exit(0);
    }
    if (next + 1 == argc) Fail(kUsage, "%s needs a value", name);
    if (strcmp(name, "--") == 0) {
      Refuse(options, name, kBeside);
      options.command = argv + next + 1;
      break;
    }
    const char* text = argv[next + 1];
    if (!ParseNumber(&options, name, text) && !ParseChoice(&options, name, text) &&
        !ParseRequest(&options, name, text)) {
      Fail(kUsage, "unknown option: %s", name);
    }
    if (strcmp(name, "--in-flight") == 0) in_flight_given = true;
    for (const char* of_open_loop : {"--schedule", "--seed", "--drain", "--wait"}) {
      if (strcmp(name, of_open_loop) == 0 && options.mode != Mode::kStorm) open_loop_option = of_open_loop;
    }
  }
  CheckTogether(options, in_flight_given, open_loop_option);
  return options;
}

}  // namespace load
