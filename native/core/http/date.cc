#include "core/http/date.h"

#include <time.h>

#include <algorithm>
#include <cstring>

namespace millrace {

namespace {

constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kSecondsMax = 253402300799;  // the last one of the year 9999

struct Day {
  int64_t year;
  int64_t month;  // 0 to 11
  int64_t day;    // 1 to 31
};

// The Gregorian date, by eras of 400 years that begin in March, so that a leap day is the last of its year.
Day day_of(int64_t days_since_1970) {
  int64_t days = days_since_1970 + 719468;
  int64_t era = days / 146097, of_era = days % 146097;
  int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t from_march = (5 * of_year + 2) / 153;
  int64_t month = from_march < 10 ? from_march + 2 : from_march - 10;
  return {era * 400 + year_of_era + (month < 2 ? 1 : 0), month, of_year - (153 * from_march + 2) / 5 + 1};
}

void put_digits(char* to, int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; i--, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

int64_t wall_clock_seconds() {
#ifdef CLOCK_REALTIME_COARSE
  timespec now = {};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec;
#else
  return time(nullptr);
#endif
}

const char* HttpDate::at(int64_t seconds) {
  seconds = std::clamp<int64_t>(seconds, 0, kSecondsMax);
  if (seconds == seconds_) return text_;
  seconds_ = seconds;
  constexpr char kDays[] = "ThuFriSatSunMonTueWed";  // 1970 began with a Thursday
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int64_t days = seconds / kSecondsPerDay, of_day = seconds % kSecondsPerDay;
  Day day = day_of(days);
  std::memcpy(text_, "Thu, 01 Jan 1970 00:00:00 GMT", kHttpDateBytes);
  std::memcpy(text_, kDays + days % 7 * 3, 3);
  put_digits(text_ + 5, day.day, 2);
  std::memcpy(text_ + 8, kMonths + day.month * 3, 3);
  put_digits(text_ + 12, day.year, 4);
  put_digits(text_ + 17, of_day / 3600, 2);
  put_digits(text_ + 20, of_day / 60 % 60, 2);
  put_digits(text_ + 23, of_day % 60, 2);
  return text_;
}

}  // namespace millrace
