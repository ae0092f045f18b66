#include "common/http/transfer.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/release.hpp"
#include "common/url.hpp"

namespace tokenrail::http {
namespace {

// Where Debian, like most systems, keeps the CAs that it trusts.
constexpr const char* system_certificates = "/etc/ssl/certs";

constexpr std::size_t idle_handles_max = 1024;
// libcurl allocates one for each running transfer, so this is most of what an idle stream costs. A token is some
// hundred bytes; a fast burst only takes a few more reads.
constexpr long receive_buffer_bytes = 4 * 1024;
// The least that libcurl takes; it keeps the buffer of a large body until the answer has ended.
constexpr long upload_buffer_bytes = 16 * 1024;
// How long libcurl keeps the addresses it was given. Each transfer brings its own, so this only has to be longer than
// one takes to connect.
constexpr long resolved_seconds = 3'600;

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

int on_connected(void* user, char* peer, char*, int, int) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  // A kept connection opened no socket for this request, so its own rule has not been asked.
  if (transfer.request.address_allowed) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(peer == nullptr ? "" : peer, error);
    if (error || !transfer.allows(address)) {
      transfer.refused_address = true;
      return CURL_PREREQFUNC_ABORT;
    }
  }
  // Where a kept connection ends without a response, libcurl sends the request once more by itself. The server may have
  // begun the first one, which may cost money: whether it is made again is decided, and counted, by the caller.
  transfer.sent_once = transfer.connected && !transfer.request.body.empty();
  transfer.connected = true;
  return transfer.sent_once ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/// Called before a look-up of libcurl's own, which would block the loop; also for addresses, which need none.
int on_resolver_start(void*, void*, void* user) noexcept {
  return static_cast<Transfer*>(user)->handed_over ? 0 : 1;
}

std::optional<boost::asio::ip::address> address_of(const curl_sockaddr& socket_address) {
  const void* const address = &socket_address.addr;
  if (socket_address.family == AF_INET) {
    return boost::asio::ip::address_v4(ntohl(static_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  }
  if (socket_address.family != AF_INET6) return std::nullopt;
  boost::asio::ip::address_v6::bytes_type bytes{};
  std::ranges::copy(static_cast<const sockaddr_in6*>(address)->sin6_addr.s6_addr, bytes.begin());
  return boost::asio::ip::address_v6(bytes);
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (transfer.has_address_rule()) {
    const auto known = address_of(*address);
    if (!known || !transfer.allows(*known)) {
      transfer.refused_address = true;
      return CURL_SOCKET_BAD;
    }
  }
  transfer.connections_opened->add();
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void take_out(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "…");
  }
}

std::string detail_of(const Transfer& transfer, CURLcode code) {
  if (transfer.refused_address && !transfer.connected) return "the address of the host is not allowed";
  std::string text = transfer.error_text.front() != '\0' ? transfer.error_text.data() : curl_easy_strerror(code);
  return without_secrets(transfer, std::move(text));
}

}  // namespace

Transfer::~Transfer() {
  for (curl_slist* item = header_list; item != nullptr; item = item->next) {
    explicit_bzero(item->data, std::strlen(item->data));
  }
  curl_slist_free_all(header_list);
  curl_slist_free_all(address_list);
  for (Header& header : request.headers) {
    if (header.secret) explicit_bzero(header.value.data(), header.value.size());
  }
}

bool Transfer::has_address_rule() const {
  return (address_allowed != nullptr && *address_allowed) || request.address_allowed;
}

bool Transfer::allows(const boost::asio::ip::address& address) const {
  if (address_allowed != nullptr && *address_allowed && !(*address_allowed)(address)) return false;
  return !request.address_allowed || request.address_allowed(address);
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

std::optional<Host> host_of(const std::string& url) {
  struct Parts {
    CURLU* url = curl_url();
    char* host = nullptr;
    char* port = nullptr;
    ~Parts() {
      curl_free(host);
      curl_free(port);
      curl_url_cleanup(url);
    }
  } parts;
  constexpr unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;
  if (parts.url == nullptr || curl_url_set(parts.url, CURLUPART_URL, url.c_str(), flags) != CURLUE_OK ||
      curl_url_get(parts.url, CURLUPART_HOST, &parts.host, CURLU_PUNYCODE) != CURLUE_OK ||
      curl_url_get(parts.url, CURLUPART_PORT, &parts.port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
    return std::nullopt;
  }
  Host host{.name = parts.host, .port = parts.port};
  if (host.name.starts_with('[')) {
    host.name = host.name.substr(1, host.name.size() - 2);
    return host;
  }
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host.name, no_address);
  host.is_name = static_cast<bool>(no_address);
  return host;
}

bool hand_over(Transfer& transfer, const Host& host, const std::vector<boost::asio::ip::address>& addresses) {
  // The plus: libcurl may forget them again.
  std::string line = fmt::format("+{}:{}:", host.name, host.port);
  bool first = true;
  for (const auto& address : addresses) {
    if (!std::exchange(first, false)) line += ',';
    line += address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
  }
  if (!append(transfer.address_list, line)) return false;
  return curl_easy_setopt(transfer.easy.get(), CURLOPT_RESOLVE, transfer.address_list) == CURLE_OK;
}

void shorten_clocks(Transfer& transfer, std::chrono::milliseconds spent) {
  const auto left = [spent](std::chrono::milliseconds clock) {
    return static_cast<long>(std::max<std::chrono::milliseconds::rep>(1, (clock - spent).count()));
  };
  CURL* const easy = transfer.easy.get();
  if (transfer.clocks.connect.count() > 0) {
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, left(transfer.clocks.connect));
  }
  if (transfer.clocks.total.count() > 0) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left(transfer.clocks.total));
}

EasyPool::EasyPool(std::string user_agent, AddressRule address_allowed, Certificates certificates,
                   telemetry::Counter& connections_opened)
    : user_agent_(std::move(user_agent)),
      address_allowed_(std::move(address_allowed)),
      certificates_(std::move(certificates)),
      connections_opened_(&connections_opened),
      tls_sessions_(curl_share_init()) {
  // By itself each handle keeps sessions of its own, and a new one begins without any. All handles are the loop's, so
  // nothing has to be locked. libcurl keeps the sessions of eight hosts.
  if (tls_sessions_) curl_share_setopt(tls_sessions_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
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
  if (tls_sessions_) curl_easy_setopt(handle, CURLOPT_SHARE, tls_sessions_.get());
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!certificates_.ca_file.empty()) {
    // Beside the system's, which libcurl would forget for a file of ours.
    curl_easy_setopt(handle, CURLOPT_CAINFO, certificates_.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, system_certificates);
  }
  if (!certificates_.client_certificate.empty()) {
    curl_easy_setopt(handle, CURLOPT_SSLCERT, certificates_.client_certificate.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, certificates_.client_key.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, user_agent_.c_str());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, &on_connected);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  curl_easy_setopt(handle, CURLOPT_RESOLVER_START_FUNCTION, &on_resolver_start);
  // Should libcurl look up a name all the same, then the end of its transfer does not wait for that thread.
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, resolved_seconds);
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
  transfer.address_allowed = &address_allowed_;
  transfer.connections_opened = connections_opened_;

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
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, &transfer);
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
  curl_easy_setopt(easy, CURLOPT_RESOLVE, nullptr);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, nullptr);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, nullptr);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, nullptr);
  idle_.push_back(std::move(transfer.easy));
}

std::string without_secrets(const Transfer& transfer, std::string text) {
  const UrlParts url = split_url(transfer.request.url);
  take_out(text, url.userinfo);
  take_out(text, url.password());
  for (const Header& header : transfer.request.headers) {
    if (header.secret) take_out(text, header.value);
  }
  return text;
}

namespace {

End ending_of(const Transfer& transfer, CURLcode code) {
  if (code == CURLE_OK && transfer.head.done()) return {.ending = Ending::complete, .detail = {}};
  // libcurl takes a head without its blank line for a whole response.
  if (code == CURLE_OK) return {.ending = Ending::broken, .detail = "the connection ended within the response's head"};
  if (transfer.excess != Excess::none) {
    const bool headers = transfer.excess == Excess::headers;
    return {.ending = Ending::too_large,
            .detail = fmt::format("the response's {} over {} bytes", headers ? "headers go" : "body goes",
                                  headers ? transfer.limits.header_bytes_max : transfer.limits.body_bytes_max)};
  }
  if (transfer.sent_once) return {.ending = Ending::broken, .detail = "the connection ended before a response"};
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

std::chrono::milliseconds milliseconds_at(const Transfer& transfer, CURLINFO moment) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(transfer.easy.get(), moment, &microseconds);
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::microseconds(microseconds));
}

void add_steps(End& end, const Transfer& transfer) {
  end.times.name = transfer.name_time;
  long opened = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_NUM_CONNECTS, &opened);
  const auto connected = milliseconds_at(transfer, CURLINFO_CONNECT_TIME_T);
  const auto secured = milliseconds_at(transfer, CURLINFO_APPCONNECT_TIME_T);
  if (connected.count() > 0 && (opened > 0 || !transfer.connected)) {
    end.times.connection = connected;
    if (secured.count() > 0) end.times.tls = std::max(secured - connected, std::chrono::milliseconds(0));
  }
  if (end.ending == Ending::complete || transfer.connected) return;
  // libcurl counts a connection once TCP is there; its time of connecting comes only after TLS.
  end.step = opened > 0 ? Step::tls : Step::connection;
  end.address_refused = transfer.refused_address && end.ending == Ending::connect_failed;
  if (end.address_refused) end.step = Step::connection;
}

}  // namespace

End end_of(const Transfer& transfer, CURLcode code) {
  auto end = ending_of(transfer, code);
  add_steps(end, transfer);
  return end;
}

}  // namespace tokenrail::http
