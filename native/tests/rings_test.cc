#include "core/rings.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace millrace {
namespace {

class Rings : public ::testing::Test {
 protected:
  Rings()
      : control_(static_cast<size_t>(Control::Words)),
        submissions_(kSubmissionCapacity),
        completions_(kCompletionCapacity) {
    submission_ring_.attach(control_.data(), submissions_.data());
    completion_ring_.attach(control_.data(), completions_.data());
  }

  uint32_t& word(Control name) { return control_[static_cast<uint32_t>(name)]; }

  void submit(uint32_t handle) {
    uint32_t& tail = word(Control::SubmissionTail);
    submissions_[tail & (kSubmissionCapacity - 1)] = Record{1, handle, {{0, 0}}};
    tail++;
  }

  std::vector<uint32_t> drain() {
    std::vector<uint32_t> handles;
    faults_ += submission_ring_.drain([&](const Record& record) {
      handles.push_back(record.handle);
      return true;
    });
    return handles;
  }

  std::vector<uint32_t> control_;
  std::vector<Record> submissions_;
  std::vector<Record> completions_;
  SubmissionRing submission_ring_;
  CompletionRing completion_ring_;
  uint32_t faults_ = 0;
};

TEST_F(Rings, SubmissionsComeInOrderThroughManyWraps) {
  std::mt19937 random(1);
  uint32_t sent = 0, received = 0;
  while (sent < 10 * kSubmissionCapacity) {
    for (uint32_t i = random() % (kSubmissionCapacity + 1); i > 0; i--) submit(sent++);
    for (uint32_t handle : drain()) ASSERT_EQ(handle, received++);
    ASSERT_EQ(sent, received);
    ASSERT_EQ(word(Control::SubmissionHead), word(Control::SubmissionTail));
  }
  EXPECT_EQ(faults_, 0u);
}

TEST_F(Rings, AFullSubmissionRingIsNoFault) {
  for (uint32_t i = 0; i < kSubmissionCapacity; i++) submit(i);
  EXPECT_EQ(drain().size(), kSubmissionCapacity);
  EXPECT_EQ(faults_, 0u);
}

TEST_F(Rings, ATailThatCannotBeIsAFaultAndTheReaderGoesOnFromThere) {
  submit(1);
  drain();
  for (uint32_t jump : {kSubmissionCapacity + 1, 0x80000000u, 0xffffffffu}) {
    faults_ = 0;
    word(Control::SubmissionTail) += jump;
    EXPECT_TRUE(drain().empty());
    EXPECT_EQ(faults_, 1u);
    EXPECT_EQ(word(Control::SubmissionHead), word(Control::SubmissionTail));
    submit(42);
    EXPECT_EQ(drain(), std::vector<uint32_t>{42});
  }
  EXPECT_EQ(word(Control::Faults), 3u);
}

TEST_F(Rings, TheHeadThatJavaScriptOverwritesIsNotBelieved) {
  for (uint32_t i = 0; i < 10; i++) submit(i);
  word(Control::SubmissionHead) = 12345;
  EXPECT_EQ(drain().size(), 10u);
  EXPECT_EQ(word(Control::SubmissionHead), 10u);
}

TEST_F(Rings, CursorsWrapAtTheEndOf32Bits) {
  // Get both rings' cursors next to 2^32 as a hostile JavaScript would, then go over it.
  word(Control::SubmissionTail) = 0xfffffff0u;
  drain();
  faults_ = 0;
  for (uint32_t i = 0; i < 100; i++) submit(i);
  EXPECT_EQ(drain().size(), 100u);
  EXPECT_EQ(faults_, 0u);
  EXPECT_EQ(word(Control::SubmissionTail), 84u);
}

TEST_F(Rings, WhatApplyAddsIsLeftForTheNextTime) {
  submit(1);
  int applied = 0;
  submission_ring_.drain([&](const Record&) {
    applied++;
    submit(2);
    return true;
  });
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(drain(), std::vector<uint32_t>{2});
}

TEST_F(Rings, RefusedRecordsAreCounted) {
  for (uint32_t i = 0; i < 10; i++) submit(i);
  EXPECT_EQ(submission_ring_.drain([](const Record& record) { return record.handle % 2 == 0; }), 5u);
  EXPECT_EQ(word(Control::Faults), 5u);
}

TEST_F(Rings, AFullCompletionRingTakesNothingMore) {
  for (uint32_t i = 0; i < kCompletionCapacity; i++) ASSERT_TRUE(completion_ring_.push(Completion::Timer, i));
  EXPECT_EQ(completion_ring_.room(), 0u);
  EXPECT_FALSE(completion_ring_.push(Completion::Timer, 99));
  EXPECT_EQ(completions_[0].handle, 0u);
  word(Control::CompletionHead) += 1;
  EXPECT_TRUE(completion_ring_.push(Completion::Timer, 4711));
  EXPECT_EQ(completions_[0].handle, 4711u);
}

TEST_F(Rings, ACompletionHeadThatCannotBeCountsAsFull) {
  completion_ring_.push(Completion::Data, 1, 2, 3);
  for (uint32_t head : {2u, 0x80000000u, 0xffffffffu - kCompletionCapacity}) {
    word(Control::CompletionHead) = head;
    EXPECT_EQ(completion_ring_.room(), 0u);
    EXPECT_FALSE(completion_ring_.push(Completion::Timer, 0));
  }
  word(Control::CompletionHead) = 1;
  EXPECT_TRUE(completion_ring_.empty());
  EXPECT_EQ(completion_ring_.room(), kCompletionCapacity);
}

TEST_F(Rings, TheCompletionTailThatJavaScriptOverwritesIsNotBelieved) {
  completion_ring_.push(Completion::Timer, 1);
  word(Control::CompletionTail) = 77777;
  completion_ring_.push(Completion::Timer, 2);
  EXPECT_EQ(word(Control::CompletionTail), 2u);
  EXPECT_EQ(completions_[1].handle, 2u);
}

}  // namespace
}  // namespace millrace
