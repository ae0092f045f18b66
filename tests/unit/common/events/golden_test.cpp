// Every record as it is written, byte for byte, against tests/golden. Each name begins with that of its schema, so the
// checks of the schemas (tests/unit/schemas) know what to hold it against; readers of other languages have examples.
// TOKENRAIL_UPDATE_GOLDEN=1 rewrites the files: look at the difference before committing it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "common/events/audit.hpp"
#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/events/connection_event.hpp"
#include "common/events/credential_event.hpp"
#include "common/events/model_event.hpp"
#include "common/events/registry_records.hpp"
#include "tests/support/offsets.hpp"

namespace tokenrail::events {
namespace {

const std::filesystem::path folder = std::filesystem::path(TOKENRAIL_SOURCE_DIR) / "tests/golden";

void expect_golden(const std::string& name, const std::string& record) {
  const auto path = folder / (name + ".json");
  if (std::getenv("TOKENRAIL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << record << '\n';
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path << " is missing; TOKENRAIL_UPDATE_GOLDEN=1 writes it";
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(record + "\n", text.str()) << path;
}

constexpr std::size_t record_bytes_max = 1'000'000;
// Unix seconds × 1,024 and the partition, 3, as routers choose it.
constexpr std::int64_t epoch = 1'763'000'000 * 1'024LL + 3;
const std::string instance = "9f2c41d07ab35e68-1";

AttemptIds ids_minimal() {
  return {.epoch = epoch,
          .instance = instance,
          .source_partition = 0,
          .source_offset = 0_request,
          .org_id = "acme",
          .request_id = "r-1",
          .attempt = epoch * 1000 + 1};
}

AttemptIds ids_full() {
  auto ids = ids_minimal();
  ids.source_partition = 3;
  ids.source_offset = 41'207_request;
  ids.source_ms = 1'763'000'123'456;
  ids.user_id = "u-7";
  return ids;
}

const AnsweringModel model{.provider = "ollama", .name = "llama3.2:1b"};
const Usage usage_full{.input_tokens = 42,
                       .output_tokens = 17,
                       .cached_input_tokens = 32,
                       .cache_write_input_tokens = 8,
                       .reasoning_tokens = 5,
                       .estimated = false};
const Timing timing_full{.queued_ms = 3, .first_token_ms = 120, .total_ms = 850};

Failure failure_full() {
  auto failure =
      Failure::of(ErrorCode::model_not_found, "No model 'lama3.2' is known to acme. Did you mean ollama/llama3.2:1b?");
  failure.provider = "ollama";
  failure.status = 404;
  return failure;
}

// --- chat.requests --------------------------------------------------------------------------------------------------

ChatRequest request_minimal() {
  ChatRequest request{.request_id = "r-1", .org_id = "acme"};
  request.messages.push_back({.role = Role::user, .content = {{.text = "Why is the sky blue?"}}});
  return request;
}

ChatRequest request_full() {
  ChatRequest request{.request_id = "r-2", .org_id = "acme", .user_id = "u-7"};
  request.groups = {"engineering"};
  request.model = {.provider = "ollama", .name = "llama3.2:1b"};
  request.auto_selection = {.input_micros_max = 200'000,
                            .output_micros_max = 800'000,
                            .quality_min = 0.5,
                            .quality_metric = "coding",
                            .view = "cheap",
                            .prefer = AutoSelection::Prefer::price};
  request.messages = {
      {.role = Role::system, .content = {{.text = "Be brief."}}},
      {.role = Role::user,
       .content = {{.text = "What is this?"},
                   {.type = "image", .data = "iVBORw0KGgo=", .media_type = "image/png"},
                   {.type = "image", .url = "https://example.org/sky.png"},
                   {.type = "file", .data = "JVBERg==", .media_type = "application/pdf", .filename = "sky.pdf"},
                   {.type = "audio", .data = "UklGRg==", .media_type = "audio/wav"}}},
      {.role = Role::assistant,
       .content = {{.text = "Let me look."}},
       .tool_calls = {{.id = "c-1", .name = "look_up", .arguments = R"({"what":"sky"})"}},
       .reasoning = "A picture of the sky, I think.",
       .provider_blocks = {{.provider = "anthropic", .data = R"({"type":"thinking","signature":"c2ln"})"}}},
      {.role = Role::tool, .content = {{.text = "the sky"}}, .tool_call_id = "c-1", .name = "look_up"},
  };
  request.temperature = 0.7;
  request.top_p = 0.9;
  request.top_k = 40;
  request.tokens_max = 256;
  request.stop = {"END", "\n\n"};
  request.seed = -7;
  request.stream = false;
  request.tools = {{.name = "look_up",
                    .description = "Looks something up.",
                    .parameters = R"({"type":"object","properties":{"what":{"type":"string"}}})"}};
  request.tool_choice = ToolChoice{.mode = ToolChoice::Mode::named, .name = "look_up"};
  request.response_format = ResponseFormat{.kind = ResponseFormat::Kind::json_schema, .schema = R"({"type":"object"})"};
  request.reasoning = Reasoning{.enabled = true, .effort = "low", .tokens_max = 128};
  request.provider_config = {{"ollama", R"({"keep_alive":"10m"})"}};
  request.fallbacks = {{.provider = "ollama", .name = "qwen3:0.6b"}, {.provider = {}, .name = "small"}};
  request.on_interrupt = OnInterrupt::resume;
  request.timeout = std::chrono::milliseconds(60'000);
  request.metadata = {{"chatProfileId", "p-1"}, {"conversationId", "k-1"}, {"messageId", "m-1"}, {"tier", "free"}};
  return request;
}

TEST(Golden, ChatRequest) {
  expect_golden("chat-request.minimal", to_json(request_minimal()));
  expect_golden("chat-request.full", to_json(request_full()));
}

// --- chat.chunks ----------------------------------------------------------------------------------------------------

TEST(Golden, ChatChunk) {
  const ChunkWriter writer("r-1", "acme", epoch * 1000 + 1);
  std::string out;
  writer.write(out, 0, {.text = "The sky"});
  expect_golden("chat-chunk.delta", out);

  const std::vector<ToolCall> calls{{.id = "c-1", .name = "look_up", .arguments = R"({"what":"sky"})"}};
  const std::vector<ProviderBlock> blocks{
      {.provider = "anthropic", .data = R"({"type":"thinking","signature":"c2ln"})"}};
  writer.write(out, 1,
               {.text = " is \"blue\"\n", .reasoning = "Rayleigh.", .tool_calls = &calls, .provider_blocks = &blocks});
  expect_golden("chat-chunk.delta-full", out);

  writer.write(out, 2, {.reasoning = "Light scatters."});
  expect_golden("chat-chunk.reasoning", out);
}

TEST(Golden, TerminalChunk) {
  const ChunkWriter writer("r-1", "acme", epoch * 1000 + 1);
  std::string out;
  writer.write(out, TerminalChunk{.seq = 0});
  expect_golden("chat-chunk.terminal-minimal", out);

  writer.write(out, TerminalChunk{.seq = 12,
                                  .finish_reason = FinishReason::error,
                                  .usage = usage_full,
                                  .model = model,
                                  .timing = timing_full,
                                  .source_offset = 41'207,
                                  .cost_micros = 93,
                                  .price_version = "17",
                                  .provider_request_id = "req_011",
                                  .warnings = {"topK was ignored: the provider does not know it."},
                                  .recovered = true,
                                  .duplicate_of_offset = 41'199,
                                  .duplicate_of_attempt = epoch * 1000 + 1,
                                  .reply_topic = "replies",
                                  .failure = failure_full()});
  expect_golden("chat-chunk.terminal-full", out);

  const Usage plain{.input_tokens = 42, .output_tokens = 17};
  writer.write(out,
               TerminalChunk{.seq = 3, .usage = plain, .model = model, .timing = timing_full, .source_offset = 41'207});
  expect_golden("chat-chunk.terminal", out);

  writer.write(out, TerminalChunk{.seq = 0,
                                  .finish_reason = FinishReason::error,
                                  .timing = {.queued_ms = 2, .total_ms = 1},
                                  .source_offset = 41'208,
                                  .failure = Failure::of(ErrorCode::invalid_request,
                                                         "`messages` must be an array of at least one message, but is "
                                                         "missing. Correct it and send the request again.")});
  expect_golden("chat-chunk.terminal-error", out);

  ChunkWriter("r-1", "acme", 0)
      .write(out, TerminalChunk{.seq = 0,
                                .finish_reason = FinishReason::duplicate,
                                .source_offset = 41'209,
                                .duplicate_of_offset = 41'207,
                                .duplicate_of_attempt = epoch * 1000 + 1});
  expect_golden("chat-chunk.terminal-duplicate", out);
}

// --- llm.audit ------------------------------------------------------------------------------------------------------

LlmRequest audited_request() {
  LlmRequest event{.ids = ids_full()};
  event.model_asked = {.provider = {}, .name = "fast"};
  event.model_resolved = model;
  event.route = {
      {.deployment_id = "01936f6e-0000-7000-8000-000000000002", .provider = "ollama", .model_name = "llama3.2:1b"}};
  event.routing = {.asked = "fast",
                   .chosen = "ollama/llama3.2:1b",
                   .alias = "fast",
                   .variant = "ollama/llama3.2:1b",
                   .view = "cheap",
                   .reason = "alias",
                   .detail = "The alias fast of the organisation drew ollama/llama3.2:1b with weight 9 of 10."};
  event.temperature = 0.7;
  event.top_p = 0.9;
  event.top_k = 40;
  event.tokens_max = 256;
  event.seed = -7;
  event.stream = false;
  event.tool_names = {"look_up"};
  event.message_count = 2;
  event.content_bytes = 29;
  event.messages = {
      {.role = "system", .content = audited("Be brief.", ContentPolicy::none, record_bytes_max)},
      {.role = "user",
       .content = audited("Why is the sky blue?", ContentPolicy::truncated, record_bytes_max),
       .parts = 2,
       .tool_calls = 0},
  };
  event.conversation_id = "k-1";
  fill_metadata(event, {{"conversationId", "k-1"}, {"messageId", "m-1"}, {"tier", "free"}});
  return event;
}

TEST(Golden, LlmRequest) {
  LlmRequest minimal{.ids = ids_minimal()};
  expect_golden("llm-request.minimal", to_json(minimal, record_bytes_max));
  expect_golden("llm-request.full", to_json(audited_request(), record_bytes_max));
  // No room: the texts go first, then the messages, then the names of the tools.
  expect_golden("llm-request.cut", to_json(audited_request(), 600));
}

LlmResponse answered() {
  LlmResponse event{.ids = ids_full()};
  event.called = true;
  event.calls = {
      {.provider = "ollama",
       .deployment_id = "01936f6e-0000-7000-8000-000000000002",
       .status = 503,
       .ms = 12,
       .error_class = "http_503"},
      {.provider = "ollama", .deployment_id = "01936f6e-0000-7000-8000-000000000002", .status = 200, .ms = 838}};
  event.finish_reason = FinishReason::stop;
  event.model = model;
  event.usage = usage_full;
  event.cost_micros = 93;
  event.price_version = "17";
  event.timing = timing_full;
  event.chunks = 13;
  event.content = audited("Because of how air scatters light.", ContentPolicy::truncated, record_bytes_max);
  event.tool_calls = 1;
  event.provider_request_id = "req_011";
  return event;
}

TEST(Golden, LlmResponse) {
  LlmResponse minimal{.ids = ids_minimal(), .outcome = Outcome::rejected};
  minimal.calls.emplace();
  expect_golden("llm-response.minimal", to_json(minimal, record_bytes_max));
  expect_golden("llm-response.completed", to_json(answered(), record_bytes_max));
  expect_golden("llm-response.cut", to_json(answered(), 600));

  auto failed = answered();
  failed.outcome = Outcome::failed;
  failed.finish_reason = FinishReason::error;
  failed.failure = failure_full();
  expect_golden("llm-response.failed", to_json(failed, record_bytes_max));

  LlmResponse interrupted{.ids = ids_full(), .outcome = Outcome::interrupted, .cause = "lost"};
  interrupted.called = true;
  interrupted.recovered = true;
  expect_golden("llm-response.interrupted", to_json(interrupted, record_bytes_max));

  LlmResponse duplicate{.ids = ids_full(), .outcome = Outcome::duplicate};
  duplicate.ids.attempt = 0;
  duplicate.calls.emplace();
  duplicate.finish_reason = FinishReason::duplicate;
  duplicate.chunks = 1;
  duplicate.duplicate_of_offset = 41'199;
  duplicate.duplicate_of_attempt = epoch * 1000 + 1;
  expect_golden("llm-response.duplicate", to_json(duplicate, record_bytes_max));
}

TEST(Golden, Ownership) {
  expect_golden("router-claimed", to_json(RouterClaimed{.epoch = epoch, .instance = instance, .partition = 3}));
  const std::vector<ContinuedAttempt> continuing{{.offset = 41'207_request, .attempt = epoch * 1000 + 1},
                                                 {.offset = 41'211_request, .attempt = epoch * 1000 + 2}};
  expect_golden(
      "router-released",
      to_json(RouterReleased{
          .epoch = epoch, .instance = instance, .partition = 3, .continuing = continuing, .lease_ms = 30'000}));
  expect_golden("router-released.none",
                to_json(RouterReleased{.epoch = epoch, .instance = instance, .partition = 3, .lease_ms = 30'000}));
  expect_golden("router-continuing", to_json(RouterContinuing{.epoch = epoch,
                                                              .instance = instance,
                                                              .partition = 3,
                                                              .continuing = {continuing.front()},
                                                              .lease_ms = 30'000}));
  expect_golden(
      "requests-lost",
      to_json(RequestsLost{
          .epoch = epoch, .instance = instance, .partition = 3, .from = 41'000_request, .to = 41'207_request}));
}

// --- model_registry -------------------------------------------------------------------------------------------------

DeploymentState deployment_minimal() {
  return {.id = "01936f6e-0000-7000-8000-000000000002",
          .connection_id = "01936f6e-0000-7000-8000-000000000001",
          .connection_name = "ollama",
          .provider = "ollama",
          .adapter = "ollama",
          .base_url = "http://localhost:11434",
          .auth_type = "none",
          .upstream_name = "llama3.2:1b"};
}

ModelUpserted upserted(const ModelState& state, std::int64_t version) {
  ModelUpserted event{
      .key = model_key(state), .version = version, .cause = "sync", .actor = "registry-sync", .model = state};
  event.model.version = version;
  return event;
}

TEST(Golden, ModelUpserted) {
  const ModelState minimal{.id = "01936f6e-0000-7000-8000-000000000003",
                           .provider = "ollama",
                           .model_name = "llama3.2:1b",
                           .slug = "llama3.2:1b",
                           .deployments = {deployment_minimal()}};
  expect_golden("model-registry-upserted.minimal", to_json(upserted(minimal, 1)));

  auto full = minimal;
  full.org_id = "acme";
  full.owner_user_id = "u-7";
  full.display_name = "Llama 3.2 1B";
  full.description = "A small model for short answers.";
  full.family = "llama";
  full.digest = "baf6a787fdffd633537aa2eb51cfd54cb93ff08e28040095462bb63daf552878";
  full.availability = "missing";
  full.missing_since_ms = 1'763'000'000'000;
  full.context_window = 131'072;
  full.input_tokens_max = 126'976;
  full.output_tokens_max = 4096;
  full.embedding_dimensions = 2048;
  full.capabilities = {{"chat", Support::supported}, {"tools", Support::unknown}, {"vision", Support::unsupported}};
  full.is_default = true;
  auto& deployment = full.deployments.front();
  deployment.connection_org_id = "acme";
  deployment.connection_owner_user_id = "u-7";
  deployment.auth_type = "header";
  deployment.auth_name = "X-Api-Key";
  deployment.credential_id = "01936f6e-0000-7000-8000-000000000004";
  deployment.credential_version = 2;
  deployment.priority = -1;
  deployment.requests_per_minute = 600;
  deployment.tokens_per_minute = 100'000;
  deployment.parameters = {.temperature = 0.7,
                           .top_p = 0.95,
                           .top_k = 40,
                           .tokens_max = 2048,
                           .stop = {"END"},
                           .num_ctx = 8192,
                           .keep_alive = "\"10m\"",
                           .provider_config = R"({"options":{"mirostat":2}})"};
  deployment.prices = ModelPrices{.input_micros = 120'000, .output_micros = 500'000, .others = {}, .version = 17};
  full.hidden = true;
  full.maintenance_until_ms = 1'763'003'600'000;
  full.maintenance_reason = "The host gets more memory.";
  full.tags = {"small", "approved"};
  full.replacement = {.provider = "ollama", .name = "llama3.3:1b"};
  full.quality_score = 0.625;
  full.scores = std::map<std::string, double>{{"coding", 0.75}, {"reasoning", 0.5}};
  full.prices = {
      .input_micros = 150'000,
      .output_micros = 600'000,
      .others = {{.key = {.dimension = PriceDimension::cache_read}, .micros = 15'000},
                 {.key = {.dimension = PriceDimension::input, .min_context_tokens = 200'001}, .micros = 300'000},
                 {.key = {.dimension = PriceDimension::output,
                          .tier = ServiceTier::batch,
                          .window = {.from_minute = 990, .to_minute = 30}},
                  .micros = 300'000}},
      .version = 17};
  full.first_token_ms = 140;
  auto event = upserted(full, 18);
  event.before_version = 17;
  event.changed_fields = {"availability", "missingSinceMs"};
  expect_golden("model-registry-upserted.full", to_json(event));

  auto override_row = minimal;
  override_row.org_id = "acme";
  override_row.inherits = true;
  override_row.deployments.clear();
  expect_golden("model-registry-upserted.inherits", to_json(upserted(override_row, 19)));
}

TEST(Golden, RegistryRecords) {
  const std::string id = "01936f6e-0000-7000-8000-000000000003";
  const ModelName name{.provider = "ollama", .name = "llama3.2:1b"};
  RegistryDefault pointer{.version = 20, .model_id = id, .model = name, .cause = "api", .actor = "u-1"};
  expect_golden("model-registry-default.minimal", to_json(pointer));
  pointer.org_id = "acme";
  pointer.owner_user_id = "u-7";
  pointer.provider = "ollama";
  pointer.purpose = "title";
  expect_golden("model-registry-default.full", to_json(pointer));

  RegistryAlias alias{
      .version = 21, .alias = "fast", .targets = {{.model_id = id, .model = name}}, .cause = "api", .actor = "u-1"};
  expect_golden("model-registry-alias.minimal", to_json(alias));
  alias.org_id = "acme";
  alias.owner_user_id = "u-7";
  alias.targets.front().weight = 9;
  alias.targets.push_back({.model_id = "01936f6e-0000-7000-8000-000000000005",
                           .model = {.provider = "ollama", .name = "qwen3:0.6b"},
                           .weight = 1});
  alias.sticky = Sticky::conversation;
  alias.description = "One in ten conversations tries the newer model.";
  expect_golden("model-registry-alias.full", to_json(alias));

  RegistryView view{.version = 24, .name = "cheap", .cause = "api", .actor = "u-1"};
  expect_golden("model-registry-view.minimal", to_json(view));
  view.org_id = "acme";
  view.owner_user_id = "u-7";
  view.filter = {.kind = "generation",
                 .provider = "ollama",
                 .status = "active",
                 .scope = "platform",
                 .search = "llama",
                 .capabilities = {"tools"},
                 .tags = {"approved"},
                 .free = true,
                 .context_min = 8'192};
  view.pins = {id};
  view.for_auto = true;
  expect_golden("model-registry-view.full", to_json(view));

  expect_golden("model-registry-grants", to_json(RegistryGrants{.version = 22,
                                                                .org_id = "acme",
                                                                .restricted = true,
                                                                .grants = {{.subject_kind = SubjectKind::group,
                                                                            .subject = "engineering",
                                                                            .object_kind = ObjectKind::model,
                                                                            .object = id,
                                                                            .allow = true},
                                                                           {.subject_kind = SubjectKind::user,
                                                                            .subject = "u-9",
                                                                            .object_kind = ObjectKind::alias,
                                                                            .object = "fast"}},
                                                                .cause = "api",
                                                                .actor = "u-1"}));
  expect_golden(
      "model-registry-organization",
      to_json(RegistryOrganization{
          .version = 23, .org_id = "acme", .slug = "acme", .allow_list = true, .cause = "api", .actor = "u-1"}));
}

TEST(Golden, SealedCredential) {
  const SealedCredential credential{.id = "01936f6e-0000-7000-8000-000000000009",
                                    .org_id = "acme/eu",
                                    .owner_user_id = {},
                                    .provider = "openai",
                                    .secret_version = 2,
                                    .version = 31,
                                    .key_id = "2026-11",
                                    .sealed = "c2VhbGVk",
                                    .expires_ms = 1'763'003'600'000};
  EXPECT_EQ(credential_key(credential), "acme%2Feu/_/01936f6e-0000-7000-8000-000000000009");
  expect_golden("model-registry-credential", to_json(credential));
  const auto read = parse_sealed_credential(to_json(credential));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(to_json(*read), to_json(credential));
  EXPECT_FALSE(parse_sealed_credential(R"({"type":"model_registry.credential","id":"x"})").has_value());
  EXPECT_FALSE(parse_sealed_credential("[]").has_value());
}

TEST(Golden, RegistryMark) {
  expect_golden("registry-mark", to_json(RegistryMark{.version = 18, .models = 3}));
}

TEST(Golden, ConnectionHealth) {
  ConnectionHealthChanged event{.connection_id = "01936f6e-0000-7000-8000-000000000001",
                                .connection_name = "openai",
                                .provider = "openai",
                                .source = "sync",
                                .health = "down",
                                .reason = "auth",
                                .since_ms = 1'732'900'000'000,
                                .previous_health = "healthy",
                                .previous_since_ms = 1'732'800'000'000};
  expect_golden("connection-health-changed", to_json(event));
  event.source = "test";
  event.health = "healthy";
  event.reason.clear();
  event.previous_health = "degraded";
  event.previous_reason = "rate_limited";
  event.previous_since_ms.reset();
  expect_golden("connection-health-changed.healthy", to_json(event));
}

TEST(Golden, Syncs) {
  SyncCompleted run{.connection_id = "01936f6e-0000-7000-8000-000000000001",
                    .connection_name = "ollama",
                    .trigger = "schedule",
                    .status = "ok",
                    .listed = 3,
                    .added = 1,
                    .updated = 1,
                    .unchanged = 1,
                    .missing = 1};
  expect_golden("model-registry-sync-completed.ok", to_json(run));
  run.status = "held";
  run.held = 1;
  expect_golden("model-registry-sync-held", to_json(run));
  expect_golden("model-registry-sync-completed.failed", to_json(SyncCompleted{.connection_id = run.connection_id,
                                                                              .connection_name = "ollama",
                                                                              .trigger = "start",
                                                                              .status = "failed",
                                                                              .failed = 1,
                                                                              .error_class = "unreachable"}));
}

}  // namespace
}  // namespace tokenrail::events
