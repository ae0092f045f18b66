#include "workers/registry_api/settings.hpp"

#include <array>

namespace tokenrail::registry_api {

namespace {

using config::Kind;
using config::Setting;

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t kibibyte = 1'024;
constexpr std::int64_t mebibyte = 1'048'576;

constexpr std::array settings{
    Setting{.name = "api.listen",
            .env = {},
            .kind = Kind::text,
            .default_value = "127.0.0.1:9403",
            .help = "Address of the API, as IP:PORT; port 0 takes any free one, which the log names."},
    Setting{.name = "api.connections_max",
            .env = {},
            .kind = Kind::integer,
            .default_value = "512",
            .help = "Connections of clients at the same time. More are closed at once.",
            .min = 1,
            .max = 100'000},
    Setting{.name = "api.body_bytes_max",
            .env = {},
            .kind = Kind::bytes,
            .default_value = "1MiB",
            .help = "Largest body of a request.",
            .min = kibibyte,
            .max = 64 * mebibyte},
    Setting{.name = "api.header_bytes_max",
            .env = {},
            .kind = Kind::bytes,
            .default_value = "16KiB",
            .help = "Largest request line and headers together.",
            .min = kibibyte,
            .max = mebibyte},
    Setting{.name = "api.request_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "30s",
            .help = "How long a whole request may take to arrive; slower clients are closed.",
            .min = 100,
            .max = 600 * second_ms},
    Setting{.name = "api.write_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "30s",
            .help = "How long a client may take to receive a reply, or one piece of a stream.",
            .min = 100,
            .max = 600 * second_ms},
    Setting{.name = "api.database_connections",
            .env = {},
            .kind = Kind::integer,
            .default_value = "8",
            .help = "Connections to PostgreSQL. Each serves one request at a time; further requests wait.",
            .min = 1,
            .max = 256},
    Setting{.name = "api.rate_per_second",
            .env = {},
            .kind = Kind::integer,
            .default_value = "100",
            .help = "Requests per second that a caller may make in an organisation. 0: no limit.",
            .min = 0,
            .max = 1'000'000},
    Setting{.name = "api.rate_burst",
            .env = {},
            .kind = Kind::integer,
            .default_value = "400",
            .help = "Requests that such a caller may make at once.",
            .min = 1,
            .max = 10'000'000},
    Setting{.name = "api.if_match_required",
            .env = {},
            .kind = Kind::boolean,
            .default_value = "false",
            .help = "Whether a change without the header If-Match, or If-None-Match: *, is refused with 428."},
    Setting{.name = "api.page_key",
            .env = {},
            .kind = Kind::secret,
            .default_value = "",
            .help = "Key that page tokens are bound with. Unset: a random one, so that a token is valid in one process "
                    "until it ends. Give several processes behind one address the same."},
    Setting{.name = "api.cors_origins",
            .env = {},
            .kind = Kind::list,
            .default_value = "",
            .help = "Origins whose pages may call the API from a browser, such as https://console.example.org."},
    Setting{.name = "api.web_dir",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "Folder of the built web page, which is read at the start and served at /ui/. `./dev build web` "
                    "makes build/web. Unset: there is no page."},
    Setting{.name = "api.public_url",
            .env = {},
            .kind = Kind::url,
            .default_value = "",
            .help =
                "Where browsers reach the API, such as https://models.example.org. Cookies are for https only where "
                "it begins so. Unset: the address that a request went to."},
    Setting{.name = "api.dashboard_url",
            .env = {},
            .kind = Kind::url,
            .default_value = "",
            .help = "Address of the dashboard deploy/grafana/use.json in your Grafana, such as "
                    "https://grafana.example.org/d/tokenrail-use. The web page links to it from the usage of a model. "
                    "Unset: there is no link."},
    Setting{.name = "api.session_lifetime",
            .env = {},
            .kind = Kind::duration,
            .default_value = "8h",
            .help = "How long a browser stays logged in.",
            .min = 60 * second_ms,
            .max = 30LL * 24 * 3600 * second_ms},
    Setting{.name = "api.chats_max",
            .env = {},
            .kind = Kind::integer,
            .default_value = "32",
            .help = "Chats of the web page that are answered at the same time, at most four of them of one caller.",
            .min = 1,
            .max = 1'000},
    Setting{.name = "api.chat_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "5m",
            .help = "How long the answer in such a chat may take.",
            .min = second_ms,
            .max = 3600 * second_ms},
    Setting{.name = "api.drain_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "20s",
            .help = "How long requests that are running may take to finish after SIGTERM.",
            .min = 0,
            .max = 600 * second_ms},
    // Of the command line, which has them in this section: one environment serves all programs.
    Setting{.name = "api.url",
            .env = {},
            .kind = Kind::url,
            .default_value = "",
            .help = "Where the command line finds this API. Not used by this program.",
            .listed = false},
    Setting{.name = "api.token",
            .env = {},
            .kind = Kind::secret,
            .default_value = "",
            .help = "What the command line shows this API. Not used by this program.",
            .listed = false},
};

}  // namespace

std::span<const Setting> registry_api_settings() {
  return settings;
}

Options options_from(const config::Values& values) {
  const auto size = [&](std::string_view name) { return static_cast<std::size_t>(values.bytes(name)); };
  return {
      .listen = values.text("api.listen"),
      .limits = {.connections_max = static_cast<std::size_t>(values.integer("api.connections_max")),
                 .header_bytes_max = size("api.header_bytes_max"),
                 .body_bytes_max = size("api.body_bytes_max"),
                 .request_time_max = values.duration("api.request_timeout"),
                 .write_time_max = values.duration("api.write_timeout")},
      .database_threads = static_cast<std::size_t>(values.integer("api.database_connections")),
      .rate_limit = {.per_second = static_cast<double>(values.integer("api.rate_per_second")),
                     .burst = values.integer("api.rate_burst")},
      .if_match_required = values.boolean("api.if_match_required"),
      .page_key = values.is_set("api.page_key") ? values.text("api.page_key") : std::string(),
      .cors_origins = values.list("api.cors_origins"),
      .web_dir = values.is_set("api.web_dir") ? values.text("api.web_dir") : std::string(),
      .public_url = values.is_set("api.public_url") ? values.text("api.public_url") : std::string(),
      .dashboard_url = values.is_set("api.dashboard_url") ? values.text("api.dashboard_url") : std::string(),
      .session_lifetime = values.duration("api.session_lifetime"),
      .drain_timeout = values.duration("api.drain_timeout"),
  };
}

}  // namespace tokenrail::registry_api
