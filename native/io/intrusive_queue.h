// A FIFO whose links live in its elements: no allocation, and an element can leave from the middle. An element is in a
// queue at most once; it must leave before it is destroyed.
#ifndef MILLRACE_IO_INTRUSIVE_QUEUE_H_
#define MILLRACE_IO_INTRUSIVE_QUEUE_H_

#include <cassert>
#include <cstdint>

namespace millrace {

template <typename Element>
struct QueueLink {
  Element* next = nullptr;
  Element* previous = nullptr;
  bool linked = false;
};

template <typename Element, QueueLink<Element> Element::*kLink>
class IntrusiveQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  uint32_t count() const { return count_; }
  Element* front() const { return head_; }

  // False: it was there already and keeps its place.
  bool push(Element* element) {
    QueueLink<Element>& link = element->*kLink;
    if (link.linked) return false;
    link = {nullptr, tail_, true};
    if (tail_ == nullptr) {
      head_ = element;
    } else {
      (tail_->*kLink).next = element;
    }
    tail_ = element;
    count_++;
    return true;
  }

  Element* pop() {
    Element* element = head_;
    if (element != nullptr) remove(element);
    return element;
  }

  bool remove(Element* element) {
    QueueLink<Element>& link = element->*kLink;
    if (!link.linked) return false;
    (link.previous == nullptr ? head_ : (link.previous->*kLink).next) = link.next;
    (link.next == nullptr ? tail_ : (link.next->*kLink).previous) = link.previous;
    link = {};
    count_--;
    return true;
  }

 private:
  Element* head_ = nullptr;
  Element* tail_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_IO_INTRUSIVE_QUEUE_H_
