// A fixed table of entries, each a sequence lock (seqlock) around three words, so that readers
// write nothing. A collision replaces what was there.
//
// A writer makes the sequence odd, stores the words with release and makes it even again; a reader
// takes the words, loaded with acquire, if the sequence was the same even number before and after.
// A reader that sees a word of some writer therefore sees that writer's odd number, or a later one,
// in its second look. A writer that finds the sequence odd lets the other one have the entry.
//
// What was found out stays true as long as the code is there. Code goes by dlclose, which glibc
// counts (`dlpi_subs`): the count belongs to the key. Generated code, which may go without being
// counted, is not remembered.
#include "unwind/verdict_cache.hpp"

#include "mailbox/forks.hpp"

#include <dlfcn.h>
#include <link.h>

#include <array>
#include <atomic>

namespace sigexc::detail {

namespace {

struct alignas(32) entry {
  std::atomic<std::uint64_t> sequence{0};  // in its upper half, the count of closed libraries
  std::atomic<std::uintptr_t> counter{0};
  std::atomic<std::uintptr_t> thrown{0};
  std::atomic<std::uint64_t> facts{0};
};

constexpr unsigned size_bits = 12;
constinit std::array<entry, 1 << size_bits> table;

entry& entry_of(std::uintptr_t counter, const std::type_info* thrown) noexcept {
  const auto mixed =
      (counter ^ (reinterpret_cast<std::uintptr_t>(thrown) << 20)) * 0x9e3779b97f4a7c15ULL;
  return table[mixed >> (64 - size_bits)];
}

// Facts in one word. Offsets are multiples of 8 and have to fit.
class packer {
 public:
  void put(std::int32_t offset, unsigned bits) noexcept {
    const std::int32_t units = offset / 8;
    const std::int32_t limit = 1 << (bits - 1);
    if (units * 8 != offset || units < -limit || units >= limit) fits_ = false;
    put_bits(static_cast<std::uint32_t>(units), bits);
  }
  void put_bits(std::uint64_t what, unsigned bits) noexcept {
    word_ = word_ << bits | (what & ((1ULL << bits) - 1));
  }
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] std::uint64_t word() const noexcept { return word_; }

 private:
  std::uint64_t word_ = 0;
  bool fits_ = true;
};

class unpacker {
 public:
  explicit unpacker(std::uint64_t word) noexcept : word_(word) {}
  std::int32_t get(unsigned bits) noexcept {
    const auto units = static_cast<std::int64_t>(get_bits(bits) << (64 - bits)) >> (64 - bits);
    return static_cast<std::int32_t>(units * 8);
  }
  std::uint64_t get_bits(unsigned bits) noexcept {  // from the last put to the first
    const auto what = word_ & ((1ULL << bits) - 1);
    word_ >>= bits;
    return what;
  }

 private:
  std::uint64_t word_;
};

constexpr unsigned end_bits = 21, frame_bits = 17, address_bits = 17;
static_assert(end_bits + frame_bits + address_bits + 9 == 64);

bool pack(const frame_facts& facts, std::uint64_t& word) noexcept {
  packer into;
  into.put_bits(static_cast<std::uint64_t>(facts.rule.how), 3);
  into.put_bits(static_cast<std::uint64_t>(facts.rule.frame_is), 2);
  into.put_bits(static_cast<std::uint64_t>(facts.verdict.what), 2);
  into.put_bits(facts.verdict.tells_types ? 1 : 0, 1);
  into.put_bits(facts.verdict.may_be_other ? 1 : 0, 1);
  into.put(facts.rule.end, end_bits);
  into.put(facts.rule.frame, frame_bits);
  into.put(facts.rule.return_address, address_bits);
  word = into.word();
  return into.fits();
}

// Into the place where they are wanted: a copy would read as one word what was just written as
// several, which the processor has to wait for.
void unpack(std::uint64_t word, frame_facts& facts) noexcept {
  unpacker from(word);
  facts.rule.return_address = from.get(address_bits);
  facts.rule.frame = from.get(frame_bits);
  facts.rule.end = from.get(end_bits);
  facts.verdict.may_be_other = from.get_bits(1) != 0;
  facts.verdict.tells_types = from.get_bits(1) != 0;
  facts.verdict.what = static_cast<fate>(from.get_bits(2));
  facts.rule.frame_is = static_cast<frame_rule::saved>(from.get_bits(2));
  facts.rule.how = static_cast<frame_rule::kind>(from.get_bits(3));
}

}  // namespace

std::uint32_t count_closed_libraries() noexcept {
  // glibc counts under a lock, which somebody else may have held in the moment of a fork: in a
  // child it is not asked any more, and nothing is remembered.
  if (forks() != 0) return nobody_knows;
  std::uint32_t count = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        *static_cast<std::uint32_t*>(result) = static_cast<std::uint32_t>(info->dlpi_subs);
        return 1;  // the first library tells
      },
      &count);
  return count;
}

bool recall(std::uintptr_t counter, const std::type_info* thrown, std::uint32_t closed_libraries,
            frame_facts& found) noexcept {
  if (closed_libraries == nobody_knows) return false;
  const entry& one = entry_of(counter, thrown);
  const auto before = one.sequence.load(std::memory_order_acquire);
  if (before == 0 || (before & 1) != 0 || before >> 32 != closed_libraries) return false;
  if (one.counter.load(std::memory_order_acquire) != counter ||
      one.thrown.load(std::memory_order_acquire) != reinterpret_cast<std::uintptr_t>(thrown))
    return false;
  const auto facts = one.facts.load(std::memory_order_acquire);
  if (one.sequence.load(std::memory_order_relaxed) != before) return false;
  unpack(facts, found);
  return true;
}

void remember(std::uintptr_t counter, const std::type_info* thrown, std::uint32_t closed_libraries,
              const frame_facts& facts) noexcept {
  std::uint64_t word = 0;
  dl_find_object object;
  if (closed_libraries == nobody_knows) return;
  if (!pack(facts, word) || _dl_find_object(reinterpret_cast<void*>(counter), &object) != 0) return;
  entry& one = entry_of(counter, thrown);
  auto sequence = one.sequence.load(std::memory_order_relaxed);
  const auto is_free = [&] { return (sequence & 1) == 0; };
  if (!is_free() ||
      !one.sequence.compare_exchange_strong(sequence, sequence | 1, std::memory_order_acquire,
                                            std::memory_order_relaxed))
    return;
  one.counter.store(counter, std::memory_order_release);
  one.thrown.store(reinterpret_cast<std::uintptr_t>(thrown), std::memory_order_release);
  one.facts.store(word, std::memory_order_release);
  const std::uint64_t next = (sequence + 2) & 0xffffffff;
  one.sequence.store(static_cast<std::uint64_t>(closed_libraries) << 32 | (next == 0 ? 2 : next),
                     std::memory_order_release);
}

}  // namespace sigexc::detail
