// Reads the table as `__gxx_personality_v0` does (Itanium C++ ABI, exception handling, 2.5): from
// the call site to its pad and its chain of actions, in which the first that takes the type wins.
//
// Types match by `__do_catch`, as in mailbox/matching.cpp. It gets no object: what is to be raised
// need not exist yet, and a null pointer makes the runtime match by type alone.
#include "unwind/handler_table.hpp"

#include "unwind/table_reader.hpp"

namespace sigexc::detail {

namespace {

struct header {
  std::uintptr_t pads;  // pads are counted from here
  std::uint8_t type_encoding;
  const std::uint8_t* types;  // ... and types backwards from here
  std::uint8_t site_encoding;
  const std::uint8_t* actions;
};

header read_header(table_reader& in, std::uintptr_t function) noexcept {
  header read{};
  const auto pad_encoding = in.byte();
  read.pads = pad_encoding == table_reader::omitted ? function : in.pointer(pad_encoding, function);
  read.type_encoding = in.byte();
  if (read.type_encoding != table_reader::omitted) {
    const auto distance = in.uleb();
    read.types = in.at() + distance;
  }
  read.site_encoding = in.byte();
  const auto size = in.uleb();
  read.actions = in.at() + size;
  return read;
}

bool takes(const header& table, std::int64_t filter, const std::type_info* thrown,
           call_site& site) noexcept {
  const auto size = table_reader::size_of(table.type_encoding);
  table_reader in(table.types - static_cast<std::uint64_t>(filter) * size);
  const auto* const type = reinterpret_cast<const std::type_info*>(in.pointer(table.type_encoding));
  if (type == nullptr) return true;  // catch (...)
  site.tells_types = true;
  void* object = nullptr;
  return thrown != nullptr && type->__do_catch(thrown, &object, 1);
}

// Follows the chain of actions from `at` and completes `site`.
void choose(const header& table, const std::uint8_t* at, const std::type_info* thrown,
            call_site& site) noexcept {
  using enum call_site::kind;
  site.what = nothing;
  for (;;) {
    table_reader in(at);
    const auto filter = in.sleb();
    const std::uint8_t* const link = in.at();
    const auto next = in.sleb();
    if (filter == 0) {
      site.what = cleanup;
    } else if (filter < 0) {
      site.what = specification;
      return;
    } else if (takes(table, filter, thrown, site)) {
      site.what = handler;
      site.selector = static_cast<int>(filter);
      return;
    }
    if (next == 0) return;
    at = link + next;
  }
}

}  // namespace

call_site find_call_site(const function_entry& function, std::uintptr_t counter,
                         const std::type_info* thrown) noexcept {
  using enum call_site::kind;
  call_site site;
  if (function.handlers == 0) return site;
  table_reader in(function.handlers);
  const header table = read_header(in, function.begin);
  const std::uint8_t format = table.site_encoding & 0x0f;  // none is relative
  while (in.at() < table.actions) {
    const auto begin = function.begin + in.pointer(format);
    const auto size = in.pointer(format);
    const auto pad = in.pointer(format);
    const auto action = in.uleb();
    if (counter < begin) break;  // the sites are sorted
    if (counter - begin >= size) continue;
    if (pad == 0) return site;
    site.pad = table.pads + pad;
    if (action == 0)
      site.what = cleanup;
    else
      choose(table, table.actions + action - 1, thrown, site);
    return site;
  }
  site.what = uncovered;
  return site;
}

}  // namespace sigexc::detail
