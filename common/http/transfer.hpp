// One HTTP exchange on a libcurl easy handle, and the pool that those handles come from. Internal to common/http.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include "common/http/client.hpp"
#include "common/http/head_reader.hpp"

namespace tokenrail::http {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

struct ShareDeleter {
  void operator()(CURLSH* share) const { curl_share_cleanup(share); }
};
using ShareHandle = std::unique_ptr<CURLSH, ShareDeleter>;

/// Which limit a response went over.
enum class Excess { none, headers, body };

/// The host that a transfer connects to, as libcurl reads it out of the URL.
struct Host {
  std::string name;  ///< without brackets; international names in their ASCII form
  std::string port;
  bool is_name = false;  ///< false: an address; nothing has to be looked up
};

/// A look-up of the host's name that has not ended.
struct LookUp {
  Resolver::LookupId id = 0;
  std::chrono::steady_clock::time_point since{};
  std::unique_ptr<boost::asio::steady_timer> timer{};
};

/// Everything about one exchange. Lives at a fixed address while libcurl knows it.
struct Transfer {
  Transfer(TransferId the_id, Request the_request, Clocks the_clocks, Limits the_limits, Listener& the_listener)
      : id(the_id),
        request(std::move(the_request)),
        clocks(the_clocks),
        limits(the_limits),
        listener(&the_listener),
        head(the_limits.header_bytes_max) {}
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// By the client's rule and the request's own.
  [[nodiscard]] bool allows(const boost::asio::ip::address& address) const;
  [[nodiscard]] bool has_address_rule() const;

  TransferId id;
  Request request;
  Clocks clocks;
  Limits limits;
  Listener* listener;  ///< null once cancelled: from then on no listener hears of this transfer
  HeadReader head;

  EasyHandle easy{};
  curl_slist* header_list = nullptr;
  curl_slist* address_list = nullptr;  ///< what the host's name was resolved to
  std::optional<LookUp> look_up{};
  const AddressRule* address_allowed = nullptr;  ///< the client's
  telemetry::Counter* connections_opened = nullptr;
  std::size_t body_bytes = 0;
  bool in_multi = false;     ///< libcurl's multi handle knows it
  bool connected = false;    ///< a connection was ready for the request
  bool sent_once = false;    ///< and libcurl would have sent it again
  bool in_body = false;      ///< the listener is being given bytes
  bool paused = false;       ///< it took no more, and libcurl has paused the transfer
  bool resumed = false;      ///< resume() came before the `false` that it answers
  bool handed_over = false;  ///< libcurl needs to look up nothing
  bool refused_address = false;
  std::optional<std::chrono::milliseconds> name_time{};  ///< that the look-up of the host's name took
  Excess excess = Excess::none;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

/// Why libcurl must not be given this request; empty: it may. Header names and values come from configuration and from
/// requests: a line end in one would smuggle in a second header.
[[nodiscard]] std::string refusal(const Request& request);

/// The host of the URL; nothing where libcurl cannot read it either.
[[nodiscard]] std::optional<Host> host_of(const std::string& url);

/// Gives libcurl the addresses of the transfer's host; false where memory is short.
[[nodiscard]] bool hand_over(Transfer& transfer, const Host& host,
                             const std::vector<boost::asio::ip::address>& addresses);

/// Takes what a look-up has `spent` off the transfer's clocks. At least a millisecond is left of each.
void shorten_clocks(Transfer& transfer, std::chrono::milliseconds spent);

/// Easy handles with all options set that never change. Reused, since making one costs more than most requests.
class EasyPool {
 public:
  /// `connections_opened` is counted up for each socket that libcurl opens.
  EasyPool(std::string user_agent, AddressRule address_allowed, Certificates certificates,
           telemetry::Counter& connections_opened);

  /// Gives the transfer a handle with all its options set; false where memory is short.
  bool equip(Transfer& transfer);

  /// Takes the handle back; libcurl's multi handle must not know it any more.
  void recycle(Transfer& transfer);

 private:
  EasyHandle make();

  std::string user_agent_;
  AddressRule address_allowed_;
  Certificates certificates_;
  telemetry::Counter* connections_opened_;
  ShareHandle tls_sessions_;  ///< outlives the handles that use it
  std::vector<EasyHandle> idle_{};
};

/// `text` without the transfer's secrets, wherever they occur in it.
[[nodiscard]] std::string without_secrets(const Transfer& transfer, std::string text);

/// What became of a transfer that libcurl has ended with `code`.
[[nodiscard]] End end_of(const Transfer& transfer, CURLcode code);

}  // namespace tokenrail::http
