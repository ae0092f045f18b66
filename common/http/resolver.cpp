#include "common/http/resolver.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ares.h>
#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include "common/http/metric_families.hpp"
#include "common/http/socket_watch.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::http {
namespace {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

constexpr const char* step_name = "look-ups of host names";

struct ChannelDeleter {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, ChannelDeleter>;

/// Distinguishes one state of a file from another without reading it.
using FileState = std::tuple<dev_t, ino_t, off_t, time_t, long>;

FileState state_of(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

std::optional<boost::asio::ip::address> address_of(const ares_addrinfo_node& node) {
  if (node.ai_addr == nullptr) return std::nullopt;
  const void* const address = node.ai_addr;
  if (node.ai_family == AF_INET) {
    const auto* const v4 = static_cast<const sockaddr_in*>(address);
    return boost::asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
  }
  if (node.ai_family == AF_INET6) {
    const auto* const v6 = static_cast<const sockaddr_in6*>(address);
    boost::asio::ip::address_v6::bytes_type bytes{};
    std::ranges::copy(v6->sin6_addr.s6_addr, bytes.begin());
    return boost::asio::ip::address_v6(bytes);
  }
  return std::nullopt;
}

std::string problem_of(int status) {
  switch (status) {
    case ARES_ETIMEOUT:
      return "the name server did not answer";
    case ARES_ECONNREFUSED:
      return "no name server could be reached";
    default:
      return ares_strerror(status);
  }
}

class AresResolver final : public Resolver {
 public:
  AresResolver(boost::asio::io_context& loop, const ResolverOptions& options, telemetry::Metrics& metrics);
  ~AresResolver() override;
  AresResolver(const AresResolver&) = delete;
  AresResolver& operator=(const AresResolver&) = delete;

  const NameAnswer* known(std::string_view name) override { return cache_.find(name, Clock::now()); }
  LookupId look_up(const std::string& name, Waiter waiter) override;
  void forget(LookupId id) override;

 private:
  /// c-ares gives this back with the answer, in every case, the end of its channel included.
  struct Query {
    AresResolver* resolver;
    std::string name;
  };

  static void on_socket_state(void* user, ares_socket_t fd, int readable, int writable);
  static void on_answer(void* user, int status, int timeouts, ares_addrinfo* found);

  void open_channel();
  void use_servers();
  void follow_configuration();
  void ask_server(const std::string& name);
  void answered(const std::string& name, int status, const ares_addrinfo* found);
  void settle();
  void ask_for_turn();
  void arm_timer();

  boost::asio::io_context& loop_;
  ResolverOptions options_;
  telemetry::Gauge& lookups_;
  telemetry::Counter& found_;
  telemetry::Counter& not_found_;
  telemetry::Counter& failed_;

  NameCache cache_;
  std::unordered_map<LookupId, Waiter> waiters_{};
  LookupId last_id_ = 0;
  std::vector<NameCache::Due> due_{};  ///< to be reported, once c-ares is off the stack
  bool turn_asked_ = false;
  bool replacing_ = false;  ///< the channel is being closed; what it gives back will be asked again

  // c-ares' callbacks use the members declared above channel_, so it is destroyed first.
  std::set<int> sockets_{};
  SocketWatch watch_;
  boost::asio::steady_timer timer_;
  FileState configuration_{};
  Channel channel_{};

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

AresResolver::AresResolver(boost::asio::io_context& loop, const ResolverOptions& options, telemetry::Metrics& metrics)
    : loop_(loop),
      options_(options),
      lookups_(metrics.gauge(metric_family("http_client_name_lookups"))),
      found_(metrics.counter(metric_family("http_client_name_lookups_total"), {"found"})),
      not_found_(metrics.counter(metric_family("http_client_name_lookups_total"), {"not_found"})),
      failed_(metrics.counter(metric_family("http_client_name_lookups_total"), {"failed"})),
      cache_(options.cache),
      watch_(
          loop, step_name,
          [this](int fd, bool readable, bool writable) {
            ares_process_fd(channel_.get(), readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
          },
          [this] { settle(); }),
      timer_(loop) {
  static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);
  if (initialised != ARES_SUCCESS) throw std::runtime_error("c-ares cannot be initialised");
  open_channel();
  if (!channel_) throw std::runtime_error("c-ares gives no channel");
}

AresResolver::~AresResolver() {
  *alive_ = false;
  replacing_ = true;
  channel_.reset();
  lookups_.set(0);
}

void AresResolver::open_channel() {
  ares_options wanted{};
  wanted.timeout = static_cast<int>(options_.first_try.count());
  wanted.tries = options_.tries;
  wanted.udp_port = options_.port;
  wanted.tcp_port = options_.port;
  wanted.resolvconf_path = options_.resolv_conf.data();
  wanted.sock_state_cb = &AresResolver::on_socket_state;
  wanted.sock_state_cb_data = this;
  constexpr int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT |
                       ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
  configuration_ = state_of(options_.resolv_conf);
  ares_channel made = nullptr;
  const int status = ares_init_options(&made, &wanted, mask);
  if (status == ARES_SUCCESS) {
    channel_.reset(made);
    use_servers();
  } else {
    spdlog::error("host names cannot be looked up: {} ({})", ares_strerror(status), options_.resolv_conf);
  }
}

void AresResolver::use_servers() {
  if (options_.servers.empty()) return;
  const auto list = fmt::format("{}", fmt::join(options_.servers, ","));
  const int status = ares_set_servers_ports_csv(channel_.get(), list.c_str());
  if (status == ARES_SUCCESS) return;
  // Not asked at others than those that were meant.
  spdlog::error("host names cannot be looked up: {} (name servers {})", ares_strerror(status), list);
  channel_.reset();
}

/// glibc reads a changed resolv.conf by itself, and so do we.
void AresResolver::follow_configuration() {
  if (channel_ && state_of(options_.resolv_conf) == configuration_) return;
  replacing_ = true;
  channel_.reset();
  replacing_ = false;
  open_channel();
  for (const auto& name : cache_.pending()) ask_server(name);
}

Resolver::LookupId AresResolver::look_up(const std::string& name, Waiter waiter) {
  const LookupId id = ++last_id_;
  waiters_.emplace(id, std::move(waiter));
  follow_configuration();
  switch (cache_.ask(name, id, Clock::now())) {
    case NameCache::Asked::ask:
      ask_server(name);
      break;
    case NameCache::Asked::joined:
      break;
    case NameCache::Asked::refused:
      due_.push_back({.waiters = {id},
                      .answer = {.addresses = {},
                                 .problem = fmt::format("{} other names are being looked up, as many as may be",
                                                        cache_.lookups())}});
      break;
  }
  // What is answered out of a file is answered by now.
  if (!due_.empty()) ask_for_turn();
  watch_.start();
  arm_timer();
  lookups_.set(static_cast<double>(cache_.lookups()));
  return id;
}

void AresResolver::forget(LookupId id) {
  waiters_.erase(id);
  cache_.forget(id);
}

void AresResolver::ask_server(const std::string& name) {
  if (!channel_) return answered(name, ARES_ENOTINITIALIZED, nullptr);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto query = std::make_unique<Query>(Query{.resolver = this, .name = name});
  ares_getaddrinfo(channel_.get(), name.c_str(), nullptr, &hints, &AresResolver::on_answer, query.release());
}

void AresResolver::on_answer(void* user, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<Query> query(static_cast<Query*>(user));
  if (!query->resolver->replacing_) query->resolver->answered(query->name, status, found);
  if (found != nullptr) ares_freeaddrinfo(found);
}

void AresResolver::answered(const std::string& name, int status, const ares_addrinfo* found) {
  NameAnswer answer;
  Millis ttl = options_.cache.ttl_max;
  if (status == ARES_SUCCESS && found != nullptr) {
    for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
      const auto address = address_of(*node);
      if (!address || std::ranges::find(answer.addresses, *address) != answer.addresses.end()) continue;
      answer.addresses.push_back(*address);
      ttl = std::min<Millis>(ttl, std::chrono::seconds(node->ai_ttl));
    }
    for (const auto* alias = found->cnames; alias != nullptr; alias = alias->next) {
      ttl = std::min<Millis>(ttl, std::chrono::seconds(alias->ttl));
    }
  }
  auto outcome = NameCache::Outcome::found;
  if (answer.addresses.empty()) {
    const bool none =
        status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME;
    outcome = none ? NameCache::Outcome::not_found : NameCache::Outcome::failed;
    answer.problem = none ? "there is no such host" : problem_of(status);
  }
  (outcome == NameCache::Outcome::found ? found_ : outcome == NameCache::Outcome::failed ? failed_ : not_found_).add();
  due_.push_back(cache_.answered(name, outcome, std::move(answer), ttl, Clock::now()));
}

/// Calls the waiters. They may look up and forget names meanwhile.
void AresResolver::settle() {
  for (auto& due : cache_.take_due(Clock::now())) due_.push_back(std::move(due));
  for (const auto& due : std::exchange(due_, {})) {
    for (const LookupId id : due.waiters) {
      const auto found = waiters_.find(id);
      if (found == waiters_.end()) continue;
      const Waiter waiter = std::move(found->second);
      waiters_.erase(found);
      waiter(due.answer);
    }
  }
  lookups_.set(static_cast<double>(cache_.lookups()));
  // A wait of ours would keep the loop from running out of work.
  if (cache_.lookups() == 0) watch_.stop();
  arm_timer();
}

void AresResolver::ask_for_turn() {
  if (std::exchange(turn_asked_, true)) return;
  boost::asio::post(loop_, [this, alive = alive_] {
    if (!*alive) return;
    telemetry::loop_step(step_name);
    turn_asked_ = false;
    settle();
  });
}

void AresResolver::arm_timer() {
  auto at = cache_.next_due();
  timeval left{};
  if (cache_.lookups() > 0 && channel_ && ares_timeout(channel_.get(), nullptr, &left) != nullptr) {
    at = std::min(at, Clock::now() + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
  }
  if (at == Clock::time_point::max()) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(at);
  timer_.async_wait([this, alive = alive_](boost::system::error_code error) {
    if (!*alive || error) return;
    telemetry::loop_step(step_name);
    if (channel_) ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle();
  });
}

void AresResolver::on_socket_state(void* user, ares_socket_t fd, int readable, int writable) {
  AresResolver& self = *static_cast<AresResolver*>(user);
  if (readable == 0 && writable == 0) {
    self.watch_.remove(fd);
    self.sockets_.erase(fd);
    return;
  }
  const bool known = !self.sockets_.insert(fd).second;
  // A query whose socket cannot be watched ends by its time-out.
  if (!self.watch_.set(fd, readable != 0, writable != 0, known)) {
    spdlog::error("cannot watch a connection to a name server (epoll_ctl)");
  }
}

}  // namespace

std::unique_ptr<Resolver> make_resolver(boost::asio::io_context& loop, const ResolverOptions& options,
                                        telemetry::Metrics& metrics) {
  return std::make_unique<AresResolver>(loop, options, metrics);
}

}  // namespace tokenrail::http
