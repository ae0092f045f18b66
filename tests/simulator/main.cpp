// tokenrail-provider-simulator: the providers' APIs on loopback, for tests, benchmarks and the demo. See
// docs/how-to/provider-simulator.md.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "common/open_files.hpp"
#include "tests/simulator/name_server.hpp"
#include "tests/simulator/server.hpp"
#include "tests/simulator/tls_front.hpp"

namespace {

using tokenrail::Result;
using tokenrail::simulator::HubOptions;
using tokenrail::simulator::Script;

constexpr std::string_view usage =
    R"(tokenrail-provider-simulator: speaks the APIs of Ollama, OpenAI, Azure, Anthropic, Gemini and Cohere on loopback.

  --port N            listen there (default 0: any free port)
  --host ADDRESS      listen on that address (default 127.0.0.1)
  --tls-port N        also listen there with TLS (0: any free port)
  --tls-certificate K good (default), expired or wrong-host
  --tls-ca FILE       write the certificate there, for clients that are to trust it
  --dns-port N        also answer questions for host names there, by UDP (0: any free port)
  --models a,b:7b     the models to offer (default sim-chat:1b, sim-think:1b)
  --script FILE       models, behaviour and rules as JSON
  --set KEY=VALUE     one key of the default behaviour, such as tokens=50 or pace=5-20; may be repeated
  --transcripts DIR   recorded exchanges (default: the environment's TOKENRAIL_TRANSCRIPTS)
  --replay NAME       answer chats with that recording, such as ollama/stream-text
  --journal-max N     calls kept in the journal (default 200000)
  --help              this text

With TLS, a line "https://HOST:PORT" comes first, with names a line "dns HOST:PORT". The last line on standard output at start is "listening http://HOST:PORT". SIGINT and SIGTERM end it.
Keys, control calls and directives in messages: docs/how-to/provider-simulator.md.
)";

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  HubOptions hub{};
  std::optional<std::uint16_t> tls_port{};
  tokenrail::simulator::TlsFault tls_fault{};
  std::string tls_ca{};
  std::optional<std::uint16_t> dns_port{};
  bool help = false;
};

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<Script> script_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return tokenrail::fail(tokenrail::ErrorKind::not_found, fmt::format("{} cannot be read", path));
  return Script::from_json(std::string(std::istreambuf_iterator<char>(file), {}));
}

Result<void> take(Options& options, std::string_view name, const std::string& value) {
  const auto wrong = [&](std::string_view allowed) {
    return tokenrail::fail(tokenrail::ErrorKind::invalid_input, fmt::format("{} {}: wants {}", name, value, allowed));
  };
  auto& chat = options.hub.script.behaviours["/api/chat"];
  if (name == "--host") {
    options.host = value;
  } else if (name == "--port") {
    if (!read_number(value, options.port)) return wrong("a port");
  } else if (name == "--tls-port") {
    if (!read_number(value, options.tls_port.emplace())) return wrong("a port");
  } else if (name == "--tls-certificate") {
    const auto fault = tokenrail::simulator::tls_fault_from(value);
    if (!fault) return wrong("good, expired or wrong-host");
    options.tls_fault = *fault;
  } else if (name == "--tls-ca") {
    options.tls_ca = value;
  } else if (name == "--dns-port") {
    if (!read_number(value, options.dns_port.emplace())) return wrong("a port");
  } else if (name == "--models") {
    options.hub.script.models = tokenrail::simulator::models_named(value);
  } else if (name == "--transcripts") {
    options.hub.transcripts = value;
  } else if (name == "--replay") {
    chat.replay = value;
  } else if (name == "--journal-max") {
    if (!read_number(value, options.hub.journal_entries_max)) return wrong("a number");
  } else if (name == "--set") {
    const auto equals = value.find('=');
    if (equals == std::string::npos) return wrong("KEY=VALUE");
    return chat.set(std::string_view(value).substr(0, equals), std::string_view(value).substr(equals + 1));
  } else if (name == "--script") {
    auto script = script_of(value);
    if (!script) return std::unexpected(script.error());
    options.hub.script = std::move(*script);
  } else {
    return tokenrail::fail(tokenrail::ErrorKind::invalid_input, fmt::format("there is no option {}", name));
  }
  return {};
}

Result<Options> options_of(std::span<char*> arguments) {
  Options options;
  if (const char* folder = std::getenv("TOKENRAIL_TRANSCRIPTS"); folder != nullptr) options.hub.transcripts = folder;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (name == "--help") {
      options.help = true;
      return options;
    }
    std::string value;
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return tokenrail::fail(tokenrail::ErrorKind::invalid_input, fmt::format("{} wants a value; see --help", name));
    }
    if (const auto taken = take(options, name, value); !taken) return std::unexpected(taken.error());
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = options_of({argv, static_cast<std::size_t>(argc)});
    if (!options) {
      fmt::print(stderr, "tokenrail-provider-simulator: {}\n", options.error().detail);
      return 2;
    }
    if (options->help) {
      fmt::print("{}", usage);
      return 0;
    }
    tokenrail::raise_open_files_limit();
    boost::asio::io_context loop(1);
    tokenrail::simulator::Server server(loop, options->host, options->port, options->hub);
    std::optional<tokenrail::simulator::TlsFront> front;
    if (options->tls_port) {
      front.emplace(loop, options->host, *options->tls_port, server.port(), options->tls_fault, options->hub.tls);
      if (!options->tls_ca.empty()) std::ofstream(options->tls_ca) << front->certificate();
      fmt::print("{}\n", front->url());
    }
    std::optional<tokenrail::simulator::NameServer> names;
    if (options->dns_port) {
      names.emplace(loop, options->host, *options->dns_port);
      fmt::print("dns {}\n", names->address());
    }
    boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code&, int) {
      server.stop();
      if (front) front->stop();
      if (names) names->stop();
      loop.stop();
    });
    fmt::print("listening {}\n", server.url());
    std::fflush(stdout);
    loop.run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenrail-provider-simulator: {}\n", error.what());
    return 1;
  }
}
