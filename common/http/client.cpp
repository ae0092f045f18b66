#include "common/http/client.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/http/metric_families.hpp"
#include "common/http/socket_watch.hpp"
#include "common/http/transfer.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::http {
namespace {

using Clock = std::chrono::steady_clock;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

void prepare_process() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
  // OpenSSL writes without MSG_NOSIGNAL, so a peer that hangs up would end the process. A handler of the program's own
  // is left alone.
  struct sigaction action{};
  ::sigaction(SIGPIPE, nullptr, &action);
  if (action.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

/// libcurl forbids most of its functions inside its own callbacks, which is where listeners are. So start(), cancel()
/// and resume() only note what is wanted whenever libcurl is on the stack, and it is done right after.
class CurlClient final : public Client {
 public:
  CurlClient(boost::asio::io_context& loop, const ClientOptions& options, telemetry::Metrics& metrics);
  ~CurlClient() override;
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  TransferId start(Request request, Clocks clocks, Limits limits, Listener& listener) override;
  void cancel(TransferId id) override;
  void resume(TransferId id) override;
  [[nodiscard]] std::size_t transfers() const override { return running_.size(); }

 private:
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* user, void* known);
  static int on_timer(CURLM* multi, long timeout_ms, void* user);

  void act(curl_socket_t fd, int events);
  void settle();
  void reap();
  void prepare(Transfer& transfer);
  void resolve(Transfer& transfer, const Host& host);
  void resolved(Transfer& transfer, const Host& host, const NameAnswer& answer);
  void look_up_took_too_long(TransferId id);
  void admit(Transfer& transfer);
  void end_later(const Transfer& transfer, Ending ending, std::string detail);
  void end_later(const Transfer& transfer, End end);
  void finish(Transfer& transfer, const End& end);
  void dispose(Transfer& transfer);
  void resize_cache();
  void ask_for_turn();
  void turn();
  void arm_timer();
  void on_timer_fired();

  // Constant after construction.
  boost::asio::io_context& loop_;
  ClientOptions options_;
  telemetry::Gauge& transfers_gauge_;
  telemetry::Counter& ended_complete_;
  telemetry::Counter& ended_failed_;

  // libcurl's callbacks use the members declared above multi_, so it is destroyed first.
  EasyPool pool_;
  std::unique_ptr<Resolver> resolver_;
  SocketWatch watch_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;

  std::unordered_map<TransferId, std::unique_ptr<Transfer>> running_{};
  std::uint64_t last_id_ = 0;
  std::size_t cache_size_ = 0;

  // What waits until libcurl is off the stack (cancelled_, admissions_) or for the next turn of the loop (the others).
  std::vector<std::unique_ptr<Transfer>> cancelled_{};
  std::vector<TransferId> admissions_{};
  std::vector<TransferId> resumes_{};
  std::vector<std::pair<TransferId, End>> stillborn_{};
  int curl_depth_ = 0;
  bool turn_asked_ = false;

  // libcurl wants to be called at due_; the timer is set for armed_for_, which may be earlier but never later.
  std::optional<Clock::time_point> due_{};
  std::optional<Clock::time_point> armed_for_{};

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

CurlClient::CurlClient(boost::asio::io_context& loop, const ClientOptions& options, telemetry::Metrics& metrics)
    : loop_(loop),
      options_(options),
      transfers_gauge_(metrics.gauge(metric_family("http_client_transfers"))),
      ended_complete_(metrics.counter(metric_family("http_client_transfers_total"), {"complete"})),
      ended_failed_(metrics.counter(metric_family("http_client_transfers_total"), {"failed"})),
      pool_(options.user_agent, options.address_allowed, options.certificates,
            metrics.counter(metric_family("http_client_connections_opened_total"))),
      resolver_(make_resolver(loop, options.names, metrics)),
      watch_(
          loop, "http",
          [this](int fd, bool readable, bool writable) {
            act(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
          },
          [this] { settle(); }),
      timer_(loop),
      multi_(curl_multi_init()) {
  if (!multi_) throw std::runtime_error("libcurl gives no multi handle");
  CURLM* const multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlClient::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlClient::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.connections_max));
  resize_cache();
}

CurlClient::~CurlClient() {
  *alive_ = false;
  for (auto& [id, transfer] : running_) dispose(*transfer);
  for (auto& transfer : cancelled_) dispose(*transfer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, nullptr);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, nullptr);
  transfers_gauge_.set(0);
}

TransferId CurlClient::start(Request request, Clocks clocks, Limits limits, Listener& listener) {
  const TransferId id{++last_id_};
  auto made = std::make_unique<Transfer>(id, std::move(request), clocks, limits, listener);
  Transfer& transfer = *made;
  running_.emplace(id, std::move(made));
  transfers_gauge_.set(static_cast<double>(running_.size()));

  // libcurl would let it wait for the end of another, and no clock would run meanwhile.
  if (running_.size() > options_.connections_max) {
    end_later(transfer, Ending::connect_failed,
              fmt::format("{} HTTP exchanges run already, as many as may", options_.connections_max));
    return id;
  }
  std::string problem = refusal(transfer.request);
  if (problem.empty() && !pool_.equip(transfer)) problem = "libcurl did not take the request";
  if (problem.empty()) {
    prepare(transfer);
  } else {
    end_later(transfer, Ending::invalid_request, std::move(problem));
  }
  return id;
}

void CurlClient::end_later(const Transfer& transfer, Ending ending, std::string detail) {
  end_later(transfer, {.ending = ending, .detail = std::move(detail)});
}

void CurlClient::end_later(const Transfer& transfer, End end) {
  end.detail = without_secrets(transfer, std::move(end.detail));
  end.times.name = transfer.name_time;
  stillborn_.emplace_back(transfer.id, std::move(end));
  ask_for_turn();
}

/// Finds the addresses of the host, then lets libcurl begin. A URL that cannot be read is left to libcurl, which says
/// what is wrong with it.
void CurlClient::prepare(Transfer& transfer) {
  const auto host = host_of(transfer.request.url);
  if (host && host->is_name) return resolve(transfer, *host);
  transfer.handed_over = host.has_value();
  admit(transfer);
}

void CurlClient::resolve(Transfer& transfer, const Host& host) {
  if (const NameAnswer* const known = resolver_->known(host.name)) {
    transfer.name_time.emplace(0);
    return resolved(transfer, host, *known);
  }
  LookUp& look_up = transfer.look_up.emplace();
  look_up.since = Clock::now();
  // Both clocks run meanwhile, but libcurl cannot see to them yet.
  const Clocks& clocks = transfer.clocks;
  auto limit = clocks.connect.count() > 0 ? clocks.connect : clocks.total;
  if (clocks.total.count() > 0) limit = std::min(limit, clocks.total);
  look_up.timer = std::make_unique<boost::asio::steady_timer>(loop_);
  if (limit.count() > 0) {
    look_up.timer->expires_after(limit);
    look_up.timer->async_wait([this, id = transfer.id, alive = alive_](boost::system::error_code error) {
      if (*alive && !error) look_up_took_too_long(id);
    });
  }
  look_up.id = resolver_->look_up(host.name, [this, id = transfer.id, host](const NameAnswer& answer) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    Transfer& waiting = *found->second;
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - waiting.look_up->since);
    waiting.look_up.reset();
    waiting.name_time = spent;
    shorten_clocks(waiting, spent);
    resolved(waiting, host, answer);
  });
}

void CurlClient::resolved(Transfer& transfer, const Host& host, const NameAnswer& answer) {
  if (answer.addresses.empty()) {
    transfer.name_time.reset();
    return end_later(transfer, {.ending = Ending::connect_failed,
                                .detail = fmt::format("Could not resolve host: {} ({})", host.name, answer.problem),
                                .step = Step::name});
  }
  std::vector<boost::asio::ip::address> allowed;
  for (const auto& address : answer.addresses) {
    if (transfer.allows(address)) allowed.push_back(address);
  }
  if (allowed.empty()) {
    return end_later(transfer, {.ending = Ending::connect_failed,
                                .detail = fmt::format("the address of the host is not allowed: {} is {}", host.name,
                                                      answer.addresses.front().to_string()),
                                .step = Step::connection,
                                .address_refused = true});
  }
  if (!hand_over(transfer, host, allowed)) {
    return end_later(transfer, Ending::invalid_request, "libcurl did not take the host's addresses");
  }
  admit(transfer);
}

void CurlClient::look_up_took_too_long(TransferId id) {
  const auto found = running_.find(id);
  if (found == running_.end() || !found->second->look_up) return;
  Transfer& transfer = *found->second;
  const Clocks& clocks = transfer.clocks;
  const bool total = clocks.total.count() > 0 && (clocks.connect.count() == 0 || clocks.total <= clocks.connect);
  const auto host = host_of(transfer.request.url);
  auto detail = fmt::format("Resolving timed out: {} (the name server has not answered after {} ms)",
                            host ? host->name : "", (total ? clocks.total : clocks.connect).count());
  finish(transfer, {.ending = total ? Ending::total_timeout : Ending::connect_timeout,
                    .detail = without_secrets(transfer, std::move(detail)),
                    .step = Step::name});
}

void CurlClient::admit(Transfer& transfer) {
  if (curl_depth_ > 0) {
    admissions_.push_back(transfer.id);
    return;
  }
  resize_cache();
  const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer.easy.get());
  if (code != CURLM_OK) return end_later(transfer, Ending::invalid_request, curl_multi_strerror(code));
  transfer.in_multi = true;
  watch_.start();
}

void CurlClient::cancel(TransferId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  std::unique_ptr<Transfer> transfer = std::move(found->second);
  running_.erase(found);
  transfers_gauge_.set(static_cast<double>(running_.size()));
  transfer->listener = nullptr;
  if (curl_depth_ > 0) {
    cancelled_.push_back(std::move(transfer));
    return;
  }
  dispose(*transfer);
  if (running_.empty()) ask_for_turn();
}

void CurlClient::resume(TransferId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  Transfer& transfer = *found->second;
  if (transfer.in_body) transfer.resumed = true;
  if (!transfer.paused) return;
  transfer.paused = false;
  // libcurl delivers what it holds from inside curl_easy_pause(); the caller must not be called back from here.
  resumes_.push_back(id);
  ask_for_turn();
}

/// Takes the handle away from libcurl; where the exchange has not ended, this closes its connection.
void CurlClient::dispose(Transfer& transfer) {
  if (transfer.look_up) {
    resolver_->forget(transfer.look_up->id);
    transfer.look_up.reset();
  }
  if (transfer.in_multi) {
    ++curl_depth_;
    curl_multi_remove_handle(multi_.get(), transfer.easy.get());
    --curl_depth_;
    transfer.in_multi = false;
  }
  pool_.recycle(transfer);
}

void CurlClient::finish(Transfer& transfer, const End& end) {
  // Out of every list before the listener hears of it: it may start the next transfer at once.
  const auto found = running_.find(transfer.id);
  const std::unique_ptr<Transfer> ended = std::move(found->second);
  running_.erase(found);
  transfers_gauge_.set(static_cast<double>(running_.size()));
  (end.ending == Ending::complete ? ended_complete_ : ended_failed_).add();
  dispose(*ended);
  ended->listener->on_end(end);
}

/// libcurl counts the busy connections as well against the size of its cache, so the bound for idle ones has to move
/// with the number of transfers, in steps.
void CurlClient::resize_cache() {
  constexpr std::size_t step = 256;
  const std::size_t wanted = ((running_.size() / step) + 1) * step + options_.idle_connections_max;
  if (wanted == cache_size_) return;
  cache_size_ = wanted;
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(wanted));
}

void CurlClient::act(curl_socket_t fd, int events) {
  int running = 0;
  ++curl_depth_;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  --curl_depth_;
}

/// What came up while libcurl was on the stack.
void CurlClient::settle() {
  if (curl_depth_ > 0) return;
  for (auto& transfer : std::exchange(cancelled_, {})) dispose(*transfer);
  reap();
  for (const TransferId id : std::exchange(admissions_, {})) {
    const auto found = running_.find(id);
    if (found != running_.end()) admit(*found->second);
  }
  // Nothing runs: a wait or a timer of ours would keep the loop from running out of work.
  if (running_.empty() && cancelled_.empty()) {
    watch_.stop();
    if (!due_ && armed_for_) {
      armed_for_.reset();
      timer_.cancel();
    }
  }
}

/// Reports the ends. Listeners may start and cancel transfers meanwhile, so each message is looked up again.
void CurlClient::reap() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* user = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
    // libcurl gives the pointer back as char*, whatever it points to.
    auto* const transfer = static_cast<Transfer*>(static_cast<void*>(user));  // NOLINT(bugprone-casting-through-void)
    if (transfer != nullptr) finish(*transfer, end_of(*transfer, message->data.result));
  }
}

void CurlClient::ask_for_turn() {
  if (std::exchange(turn_asked_, true)) return;
  boost::asio::post(loop_, [this, alive = alive_] {
    if (*alive) turn();
  });
}

void CurlClient::turn() {
  telemetry::loop_step("http");
  turn_asked_ = false;
  for (const auto& [id, end] : std::exchange(stillborn_, {})) {
    const auto found = running_.find(id);
    if (found != running_.end()) finish(*found->second, end);
  }
  for (const TransferId id : std::exchange(resumes_, {})) {
    const auto found = running_.find(id);
    if (found == running_.end() || found->second->paused) continue;
    ++curl_depth_;
    const CURLcode code = curl_easy_pause(found->second->easy.get(), CURLPAUSE_CONT);
    --curl_depth_;
    // What it held was too much, or the like; libcurl reports that only here. The id may be cancelled by now.
    const auto again = running_.find(id);
    if (code != CURLE_OK && again != running_.end()) finish(*again->second, end_of(*again->second, code));
    settle();
  }
  if (due_ && *due_ <= Clock::now()) {
    due_.reset();
    act(CURL_SOCKET_TIMEOUT, 0);
  }
  settle();
}

void CurlClient::arm_timer() {
  // Streams keep moving their deadlines; setting the timer each time would cost more than the odd early wake-up.
  if (armed_for_ && *armed_for_ <= *due_) return;
  armed_for_ = due_;
  timer_.expires_at(*due_);
  timer_.async_wait([this, alive = alive_](boost::system::error_code error) {
    if (!*alive || error) return;
    on_timer_fired();
  });
}

void CurlClient::on_timer_fired() {
  armed_for_.reset();
  if (!due_) return;
  if (Clock::now() < *due_) return arm_timer();
  turn();
}

int CurlClient::on_timer(CURLM*, long timeout_ms, void* user) {
  CurlClient& self = *static_cast<CurlClient*>(user);
  if (timeout_ms < 0) {
    self.due_.reset();
  } else {
    self.due_ = Clock::now() + std::chrono::milliseconds(timeout_ms);
    if (timeout_ms == 0) {
      self.ask_for_turn();
    } else {
      self.arm_timer();
    }
  }
  return 0;
}

int CurlClient::on_socket(CURL*, curl_socket_t fd, int what, void* user, void* known) {
  CurlClient& self = *static_cast<CurlClient*>(user);
  if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
    // Also where libcurl wants nothing for now: the kernel reports a hang-up even where nothing was asked for, again
    // and again.
    self.watch_.remove(fd);
    return 0;
  }
  const bool read = (what & CURL_POLL_IN) != 0;
  const bool write = (what & CURL_POLL_OUT) != 0;
  // Any pointer that is not null marks the socket as known to the set.
  if (known == nullptr) curl_multi_assign(self.multi_.get(), fd, user);
  // Not reported to libcurl, which would give up every transfer; this one ends by its clocks.
  if (!self.watch_.set(fd, read, write, known != nullptr)) spdlog::error("cannot watch an HTTP connection (epoll_ctl)");
  return 0;
}

}  // namespace

std::unique_ptr<Client> make_client(boost::asio::io_context& loop, const ClientOptions& options,
                                    telemetry::Metrics& metrics) {
  prepare_process();
  return std::make_unique<CurlClient>(loop, options, metrics);
}

}  // namespace tokenrail::http
