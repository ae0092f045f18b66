#include "common/http/transfer.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>

#include "common/release.hpp"
#include "common/url.hpp"

namespace tokenrail::http {
namespace {

constexpr std::size_t idle_handles_max = 1024;
// libcurl allocates one for each running transfer, so this is most of what an idle stream costs. A token is some
// hundred bytes; a fast burst only takes a few more reads.
constexpr long receive_buffer_bytes = 4 * 1024;
// The least that libcurl takes; it keeps the buffer of a large body until the answer has ended.
constexpr long upload_buffer_bytes = 16 * 1024;

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || others.find(c) != std::string_view::npos;
  });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

bool append(curl_slist*& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list, line.c_str());
  if (longer == nullptr) return false;
  list = longer;
  return true;
}

bool make_header_list(Transfer& transfer) {
  // An empty value takes a header away that libcurl would add by itself.
  bool ok = append(transfer.header_list, "Expect:");
  bool has_content_type = false;
  for (const Header& header : transfer.request.headers) {
    has_content_type = has_content_type || equals_ignoring_case(header.name, "content-type");
    // libcurl's own notation: "Name;" is a header without a value.
    std::string line = header.value.empty() ? header.name + ";" : fmt::format("{}: {}", header.name, header.value);
    ok = ok && append(transfer.header_list, line);
    if (header.secret) explicit_bzero(line.data(), line.size());
  }
  if (!has_content_type) ok = ok && append(transfer.header_list, "Content-Type:");
  return ok;
}

// Called by libcurl, hence never from inside start(). Nothing may be thrown through C code.

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t length = size * count;
  if (transfer.listener == nullptr) return CURL_WRITEFUNC_ERROR;
  switch (transfer.head.line({bytes, length})) {
    case HeadReader::Step::more:
      break;
    case HeadReader::Step::too_large:
      transfer.excess = Excess::headers;
      return CURL_WRITEFUNC_ERROR;
    case HeadReader::Step::complete: {
      transfer.listener->on_head(transfer.head.head());
      transfer.head.forget();
      curl_off_t sent = 0;
      curl_easy_getinfo(transfer.easy.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
      // Once it has been sent and answered, libcurl does not look at the body again; a stream may hold on for minutes.
      if (std::cmp_equal(sent, transfer.request.body.size())) release(transfer.request.body);
      break;
    }
  }
  return length;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t length = size * count;
  if (transfer.listener == nullptr) return CURL_WRITEFUNC_ERROR;
  const std::size_t max = transfer.limits.body_bytes_max;
  if (max != 0 && length > max - transfer.body_bytes) {
    transfer.excess = Excess::body;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.body_bytes += length;
  transfer.resumed = false;
  transfer.in_body = true;
  const bool more = transfer.listener->on_body({bytes, length});
  transfer.in_body = false;
  if (transfer.listener == nullptr) return CURL_WRITEFUNC_ERROR;  // cancelled meanwhile
  if (!more && !transfer.resumed) {
    transfer.paused = true;
    // Not CURL_WRITEFUNC_PAUSE: that would deliver the same bytes once more. What libcurl has read already (one buffer
    // at most) it keeps; the socket is not read any more.
    curl_easy_pause(transfer.easy.get(), CURLPAUSE_RECV);
  }
  return length;
}

int on_connected(void* user, char*, char*, int, int) noexcept {
  static_cast<Transfer*>(user)->connected = true;
  return CURL_PREREQFUNC_OK;
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) noexcept {
  static_cast<telemetry::Counter*>(user)->add();
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void take_out(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "…");
  }
}

std::string detail_of(const Transfer& transfer, CURLcode code) {
  std::string text = transfer.error_text.front() != '\0' ? transfer.error_text.data() : curl_easy_strerror(code);
  const UrlParts url = split_url(transfer.request.url);
  take_out(text, url.userinfo);
  take_out(text, url.password());
  for (const Header& header : transfer.request.headers) {
    if (header.secret) take_out(text, header.value);
  }
  return text;
}

}  // namespace

Transfer::~Transfer() {
  for (curl_slist* item = header_list; item != nullptr; item = item->next) {
    explicit_bzero(item->data, std::strlen(item->data));
  }
  curl_slist_free_all(header_list);
  for (Header& header : request.headers) {
    if (header.secret) explicit_bzero(header.value.data(), header.value.size());
  }
}

std::string refusal(const Request& request) {
  const auto has_control = [](std::string_view text) {
    return std::ranges::any_of(text,
                               [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
  };
  if (!is_token(request.method)) return "the method is not a word of HTTP";
  if (request.url.empty() || has_control(request.url)) return "the URL is empty or has control characters in it";
  for (const Header& header : request.headers) {
    if (!is_token(header.name)) return "a header's name is not a word of HTTP";
    if (has_control(header.value))
      return fmt::format("the value of header {} has control characters in it", header.name);
  }
  return {};
}

EasyHandle EasyPool::make() {
  EasyHandle easy(curl_easy_init());
  if (!easy) return easy;
  CURL* const handle = easy.get();
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);  // else libcurl calls sigaction() twice a socket event
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  // A proxy out of the environment would see every key; one has to be asked for in words.
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  // One connection a stream. Over HTTP/2 libcurl lets the server send up to 32 MiB into memory for a paused stream.
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_PIPEWAIT, 0L);
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
  curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer_bytes);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, user_agent_.c_str());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, &on_connected);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, connections_opened_);
  return easy;
}

bool EasyPool::equip(Transfer& transfer) {
  if (idle_.empty()) {
    transfer.easy = make();
  } else {
    transfer.easy = std::move(idle_.back());
    idle_.pop_back();
  }
  if (!transfer.easy || !make_header_list(transfer)) return false;

  CURL* const easy = transfer.easy.get();
  const Request& request = transfer.request;
  const bool head = request.method == "HEAD";
  const bool plain_get = request.method == "GET" && request.body.empty();
  curl_easy_setopt(easy, CURLOPT_NOBODY, head ? 1L : 0L);
  if (!head && plain_get) curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  if (!head && !plain_get) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    // Not copied: the transfer owns the body as long as libcurl may read it.
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  const bool named = head || plain_get || request.method == "POST";
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, named ? nullptr : request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.header_list);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(transfer.clocks.connect.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.clocks.total.count()));
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  return curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str()) == CURLE_OK;
}

void EasyPool::recycle(Transfer& transfer) {
  if (!transfer.easy) return;
  if (idle_.size() >= idle_handles_max) {
    transfer.easy.reset();
    return;
  }
  // Nothing of this transfer may be kept: its URL may hold credentials, the rest are pointers into it.
  CURL* const easy = transfer.easy.get();
  curl_easy_setopt(easy, CURLOPT_URL, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, nullptr);
  idle_.push_back(std::move(transfer.easy));
}

End end_of(const Transfer& transfer, CURLcode code) {
  if (code == CURLE_OK && transfer.head.done()) return {.ending = Ending::complete, .detail = {}};
  // libcurl takes a head without its blank line for a whole response.
  if (code == CURLE_OK) return {.ending = Ending::broken, .detail = "the connection ended within the response's head"};
  if (transfer.excess != Excess::none) {
    const bool headers = transfer.excess == Excess::headers;
    return {.ending = Ending::too_large,
            .detail = fmt::format("the response's {} over {} bytes", headers ? "headers go" : "body goes",
                                  headers ? transfer.limits.header_bytes_max : transfer.limits.body_bytes_max)};
  }
  const auto with = [&](Ending ending) { return End{.ending = ending, .detail = detail_of(transfer, code)}; };
  if (code == CURLE_OPERATION_TIMEDOUT) {
    const bool total_is_shorter = transfer.clocks.total.count() > 0 && transfer.clocks.total <= transfer.clocks.connect;
    return with(transfer.connected || total_is_shorter ? Ending::total_timeout : Ending::connect_timeout);
  }
  if (transfer.connected) return with(Ending::broken);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return with(Ending::invalid_request);
    default:
      return with(Ending::connect_failed);
  }
}

}  // namespace tokenrail::http
