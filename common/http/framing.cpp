#include "common/http/framing.hpp"

#include <charconv>

namespace tokenrail::http {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

}  // namespace

bool SseFramer::field_line(std::string_view line) {
  if (first_line_ && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  first_line_ = false;
  if (line.empty()) {
    if (has_data_) return true;
    forget_event();  // an event without data is none, its type goes with it
    return false;
  }
  const auto colon = line.find(':');
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  field(line.substr(0, colon), value);  // a comment has an empty name
  return false;
}

void SseFramer::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    const std::size_t separator = has_data_ ? 1 : 0;
    if (data_.size() + type_.size() + separator + value.size() > item_bytes_max_) {
      fail();
      return;
    }
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  } else if (name == "event") {
    if (data_.size() + value.size() > item_bytes_max_) {
      fail();
      return;
    }
    type_ = value;
  } else if (name == "id") {
    const bool has_nul = value.find('\0') != std::string_view::npos;
    if (value.size() > item_bytes_max_) fail();
    if (!failed_ && !has_nul) id_ = value;
  } else if (name == "retry") {
    std::uint64_t ms = 0;
    const char* const end = value.data() + value.size();
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the end goes with it
    const auto [last, status] = std::from_chars(value.data(), end, ms);
    if (status == std::errc{} && last == end && !value.empty()) retry_ms_ = ms;
  }
}

bool SseFramer::keep(std::string_view bytes) {
  if (buffered_bytes() + bytes.size() > item_bytes_max_) return fail();
  rest_.append(bytes);
  return true;
}

void SseFramer::forget_event() {
  data_.clear();
  type_.clear();
  has_data_ = false;
}

bool SseFramer::fail() {
  failed_ = true;
  for (auto* text : {&rest_, &data_, &type_}) release(*text);
  return false;
}

}  // namespace tokenrail::http
