// What is asked over HTTP, and what the reply to it must be.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

namespace load {

struct HttpRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string fields;  // further header fields, each with its CRLF
  std::string body;
  uint32_t weight = 1;

  uint32_t status = 200;
  // Of the reply's body: its length, or all its bytes, or nothing at all is known.
  enum class Known { kNothing, kLength, kBytes } known = Known::kNothing;
  uint64_t expected_length = 0;
  std::string expected_body;

  // `GET /path`: how messages name it.
  std::string Name() const { return method + " " + path; }
};

// `length` bytes of the pattern that bodies are made of and checked against: pattern.h.
std::string PatternBody(uint64_t length);

// Handles the options that say what is asked; false when `name` is none of them. Each but --request belongs to the
// request before it. Ends the program when `text` is wrong.
bool ParseRequestOption(const char* name, const char* text, std::vector<HttpRequest>* requests);

}  // namespace load
