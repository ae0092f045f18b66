#include "tests/simulator/session.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

namespace tokenrail::simulator {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Then = Step::Then;

namespace {

constexpr std::size_t request_bytes_max = 512UL * 1024 * 1024;
constexpr std::size_t write_bytes = 64UL * 1024;

std::string text_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, Hub& hub, Pacer& pacer, std::function<void(Session*)> on_gone)
    : socket_(std::move(socket)), hub_(hub), pacer_(pacer), on_gone_(std::move(on_gone)) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  hub_.count_connection(1);
}

Session::~Session() {
  hub_.count_connection(-1);
}

void Session::read() {
  parser_.emplace();
  parser_->body_limit(request_bytes_max);
  parser_->header_limit(1024 * 1024);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                            if (error) return self->gone("client_gone");
                            self->read_body();
                          });
}

void Session::read_body() {
  // curl waits a second for this before it sends a big body.
  if (parser_->get()[http::field::expect] == "100-continue") {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(socket_, asio::buffer(go_on), [self = shared_from_this()](const error_code& error, std::size_t) {
      if (error) self->gone("client_gone");
    });
  }
  http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](const error_code& error, std::size_t) {
    if (error) return self->gone("client_gone");
    self->begin();
  });
}

void Session::begin() {
  auto& request = parser_->get();
  Incoming incoming;
  incoming.method = text_of(request.method_string());
  incoming.path = text_of(request.target());
  if (const auto mark = incoming.path.find('?'); mark != std::string::npos) {
    incoming.query = incoming.path.substr(mark + 1);
    incoming.path.resize(mark);
  }
  incoming.request_id = text_of(request["X-Request-Id"]);
  incoming.traceparent = text_of(request["traceparent"]);
  for (const auto* const header : {"Authorization", "x-api-key", "api-key", "x-goog-api-key"}) {
    if (incoming.authorization.empty()) incoming.authorization = text_of(request[header]);
  }
  if (incoming.authorization.empty()) incoming.authorization = query_value(incoming.query, "key");
  incoming.anthropic = !request["anthropic-version"].empty();
  incoming.replay = text_of(request["X-Sim-Replay"]);
  keep_alive_ = request.keep_alive();
  incoming.body = std::move(request.body());
  parser_.reset();

  reply_ = hub_.answer(std::move(incoming));
  keep_alive_ = keep_alive_ && reply_.behaviour.keep_alive;
  has_step_ = head_sent_ = faulted_ = is_last_ = false;
  step_sent_ = 0;
  answering_ = true;
  watch();
  const auto& behaviour = reply_.behaviour;
  if (behaviour.fault == Fault::endless || behaviour.fault == Fault::silent || behaviour.fault == Fault::status ||
      behaviour.fault == Fault::context_length || behaviour.fault == Fault::content_filter ||
      behaviour.fault == Fault::slow_headers) {
    faulted_ = true;
  }
  if (behaviour.fault == Fault::silent) return;
  if (behaviour.fault == Fault::reset_at_once) {
    faulted_ = true;
    return reset();
  }
  pump();
}

/// Goes on with the answer as far as it goes: until something has to be waited for or written.
void Session::pump() {
  while (answering_ && !is_writing_ && !is_waiting_) {
    if (out_.size() >= write_bytes) return write();
    if (!has_step_) {
      reply_.source->next(step_);
      has_step_ = true;
      step_sent_ = 0;
      if (step_.wait.count() > 0) {
        wait(step_.wait);
        if (!out_.empty()) write();
        return;
      }
    }
    if (!take_step()) return;
  }
}

/// False: something is being written or waited for, or the answer is over.
bool Session::take_step() {
  if (!head_sent_) {
    send_head();
    if (is_waiting_) return false;
  }
  if (step_.stamp_at > 0 && step_sent_ == 0) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto digits = fmt::format("{:0{}}", std::chrono::nanoseconds(now).count(), stamp_digits);
    step_.bytes.replace(step_.stamp_at, stamp_digits, digits);
  }
  const auto split = reply_.behaviour.split;
  if (split > 0 && step_.bytes.size() - step_sent_ > split) {
    append_body(std::string_view(step_.bytes).substr(step_sent_, split));
    step_sent_ += split;
    write();
    return false;
  }
  append_body(std::string_view(step_.bytes).substr(step_sent_));
  note_step();
  if (step_.then == Then::more) {
    has_step_ = false;
    if (split == 0) return true;
    write();
    return false;
  }
  is_last_ = true;
  if (step_.then == Then::complete && chunked_ && !reply_.head_only) out_ += "0\r\n\r\n";
  if (out_.empty()) {
    finish();
  } else {
    write();
  }
  return false;
}

void Session::send_head() {
  // One whole piece has a length, as the server sends it; what comes in pieces or breaks off is chunked.
  chunked_ = reply_.chunked || step_.then != Then::complete || step_.fault;
  auto head = fmt::format("HTTP/1.1 {} {}\r\n", reply_.status,
                          std::string(http::obsolete_reason(static_cast<http::status>(reply_.status))));
  if (!reply_.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", reply_.content_type);
  for (const auto& [name, value] : reply_.headers) head += fmt::format("{}: {}\r\n", name, value);
  head += chunked_ ? "Transfer-Encoding: chunked\r\n" : fmt::format("Content-Length: {}\r\n", step_.bytes.size());
  if (!keep_alive_) head += "Connection: close\r\n";
  head += "\r\n";
  head_sent_ = true;
  if (reply_.behaviour.fault == Fault::slow_headers) {
    head_ = std::move(head);
    wait(std::chrono::milliseconds(reply_.behaviour.fault_at));
    return;
  }
  out_ += head;
}

void Session::append_body(std::string_view bytes) {
  if (bytes.empty() || reply_.head_only) return;
  if (!chunked_) {
    out_ += bytes;
    return;
  }
  fmt::format_to(std::back_inserter(out_), "{:x}\r\n", bytes.size());
  out_ += bytes;
  out_ += "\r\n";
}

void Session::note_step() {
  if (step_.fault) faulted_ = true;
  hub_.count_tokens(static_cast<std::uint64_t>(step_.tokens));
  auto* const entry = hub_.journal().find(reply_.journal);
  if (entry == nullptr) return;
  entry->status = reply_.status;
  entry->bytes_sent += step_.bytes.size();
  entry->tokens_sent += static_cast<std::uint64_t>(step_.tokens);
  if (faulted_) entry->fault = name_of(reply_.behaviour.fault);
  if (step_.tokens > 0 && entry->first_token_ms < 0) entry->first_token_ms = hub_.now_ms() - entry->started_ms;
  constexpr std::size_t text_bytes_max = 64UL * 1024;
  if (entry->text.size() < text_bytes_max) entry->text += step_.text.substr(0, text_bytes_max - entry->text.size());
}

void Session::write() {
  if (is_writing_ || out_.empty()) return;
  is_writing_ = true;
  std::swap(out_, writing_);
  out_.clear();
  asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](const error_code& error, std::size_t) {
    self->is_writing_ = false;
    if (self->is_gone_) return;
    if (error) return self->gone("client_gone");
    if (self->is_last_) return self->finish();
    self->pump();
  });
}

void Session::wait(std::chrono::milliseconds time) {
  is_waiting_ = true;
  pacer_.after(time, shared_from_this(), ++generation_);
}

void Session::on_time(std::uint64_t generation) {
  if (is_gone_ || generation != generation_) return;
  is_waiting_ = false;
  if (!head_.empty()) {
    out_ += head_.front();
    head_.erase(0, 1);
    if (!head_.empty()) wait(std::chrono::milliseconds(reply_.behaviour.fault_at));
    write();
    return;
  }
  pump();
}

/// Sees a client leave while nothing is written, as in a long pause.
void Session::watch() {
  if (is_watching_) return;
  is_watching_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->is_watching_ = false;
    if (self->is_gone_ || error || !self->answering_) return;
    char byte = 0;
    const auto received = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (received == 0 || (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) return self->gone("client_gone");
    if (received < 0) self->watch();
  });
}

/// Everything of the answer has been given to the kernel.
void Session::finish() {
  if (step_.then == Then::hang) return;  // until the client leaves
  answering_ = false;
  switch (step_.then) {
    case Then::reset:
      return reset();
    case Then::close:
      return gone("fault");
    default:
      break;
  }
  close_entry(faulted_ ? "fault" : "complete");
  reply_ = {};
  step_ = {};
  if (!keep_alive_) return gone("complete");
  read();
}

void Session::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  gone("fault");
}

void Session::close_entry(std::string_view ending) {
  if (reply_.journal == 0) return;
  hub_.journal().close(reply_.journal, ending, faulted_ ? name_of(reply_.behaviour.fault) : "", hub_.now_ms());
  reply_.journal = 0;
}

void Session::gone(std::string_view ending) {
  if (is_gone_) return;
  is_gone_ = true;
  answering_ = false;
  ++generation_;
  close_entry(ending);
  error_code ignored;
  socket_.close(ignored);
  reply_.source.reset();
  on_gone_(this);
}

void Session::stop() {
  gone("client_gone");
}

}  // namespace tokenrail::simulator
