#include "workers/registry_api/web_page.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tokenrail::registry_api {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tokenrail-web-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << content;
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string header(const http::Reply& reply, std::string_view name) {
  for (const auto& field : reply.headers)
    if (field.name == name) return field.value;
  return {};
}

http::ServerRequest get(std::string path, std::vector<http::Field> headers = {}) {
  return {.method = "GET", .path = std::move(path), .headers = std::move(headers)};
}

std::optional<WebFiles> files() {
  WebFiles files;
  files["index.html"] = {.content_type = "text/html; charset=utf-8", .tag = "i1", .plain = "<html>"};
  files["favicon.svg"] = {.content_type = "image/svg+xml", .tag = "f1", .plain = "<svg>"};
  files["assets/app.js"] = {.content_type = "text/javascript; charset=utf-8",
                            .tag = "a1",
                            .plain = "plain",
                            .brotli = "brotli",
                            .gzip = "gzip"};
  return files;
}

http::Reply reply_to(const http::ServerRequest& request) {
  auto answer = web_answer(files(), request);
  EXPECT_TRUE(answer) << answer.error().detail;
  return answer.value_or(http::Reply{.status = 0});
}

TEST(WebFiles, FolderIsReadWithCompressedSiblings) {
  const Folder folder;
  folder.write("index.html", "<html>");
  folder.write("assets/app-1a2b.js", "plain");
  folder.write("assets/app-1a2b.js.br", "B");
  folder.write("assets/app-1a2b.js.gz", "G");
  folder.write("alone.gz", "an archive");
  folder.write(".git/config", "hidden");
  fs::create_symlink("/etc/hostname", folder.path() + "/link.txt");
  const auto read = read_web_files(folder.path());
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_THAT(*read, ElementsAre(Key("alone.gz"), Key("assets/app-1a2b.js"), Key("index.html")));
  const auto& script = read->at("assets/app-1a2b.js");
  EXPECT_EQ(script.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(script.plain, "plain");
  EXPECT_EQ(script.brotli, "B");
  EXPECT_EQ(script.gzip, "G");
  EXPECT_EQ(script.tag.size(), 32U);
  EXPECT_NE(script.tag, read->at("index.html").tag);
}

TEST(WebFiles, UnusableFolderIsRefusedWithRemedy) {
  const Folder folder;
  auto read = read_web_files(folder.path());
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("has no index.html; build the web page with './dev build web'"));
  read = read_web_files(folder.path() + "/missing");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("is not a folder"));
}

TEST(WebFiles, LimitsHold) {
  const Folder folder;
  folder.write("index.html", "12345");
  folder.write("other.txt", "12345");
  EXPECT_TRUE(read_web_files(folder.path(), {.files_max = 2, .file_bytes_max = 5, .bytes_max = 10}));
  EXPECT_FALSE(read_web_files(folder.path(), {.files_max = 1}));
  EXPECT_FALSE(read_web_files(folder.path(), {.file_bytes_max = 4}));
  EXPECT_FALSE(read_web_files(folder.path(), {.bytes_max = 9}));
}

TEST(WebPage, RootLeadsToPage) {
  for (const auto* path : {"/", "/ui"}) {
    const auto reply = reply_to(get(path));
    EXPECT_EQ(reply.status, 302) << path;
    EXPECT_EQ(header(reply, "Location"), "/ui/");
  }
  EXPECT_TRUE(is_web_path("/ui/models/x"));
  EXPECT_FALSE(is_web_path("/uix"));
  EXPECT_FALSE(is_web_path("/v1/orgs"));
}

TEST(WebPage, EveryReplyHasSecurityHeaders) {
  for (const auto* path : {"/", "/ui/", "/ui/models", "/ui/assets/app.js", "/ui/favicon.svg"}) {
    const auto reply = reply_to(get(path));
    EXPECT_THAT(header(reply, "Content-Security-Policy"),
                testing::StartsWith("default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "))
        << path;
    EXPECT_THAT(header(reply, "Content-Security-Policy"), HasSubstr("frame-ancestors 'none'; base-uri 'none'"));
    EXPECT_EQ(header(reply, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header(reply, "Referrer-Policy"), "no-referrer");
  }
}

TEST(WebPage, OnlyAssetsAreKept) {
  EXPECT_EQ(header(reply_to(get("/ui/")), "Cache-Control"), "no-cache");
  EXPECT_EQ(header(reply_to(get("/ui/favicon.svg")), "Cache-Control"), "no-cache");
  EXPECT_EQ(header(reply_to(get("/ui/assets/app.js")), "Cache-Control"), "public, max-age=31536000, immutable");
}

TEST(WebPage, ViewsOfThePageGetItsIndex) {
  for (const auto* path : {"/ui/", "/ui/index.html", "/ui/models", "/ui/orgs/acme/models/ollama%2Fllama3"})
    EXPECT_EQ(reply_to(get(path)).body, "<html>") << path;
  // A browser opens a view whose name looks like a file's.
  EXPECT_EQ(reply_to(get("/ui/models/ollama%2Fllama3.2", {{"accept", "text/html,*/*;q=0.8"}})).body, "<html>");
}

TEST(WebPage, MissingFilesAreNotFound) {
  for (const auto* path : {"/ui/assets/old.js", "/ui/assets/", "/ui/robots.txt"}) {
    const auto answer = web_answer(files(), get(path, {{"accept", "*/*"}}));
    ASSERT_FALSE(answer) << path;
    EXPECT_EQ(answer.error().fault, Fault::not_found);
  }
}

TEST(WebPage, PathsOutOfTheFolderReachNothing) {
  for (const auto* path : {"/ui/../etc/passwd.txt", "/ui/%2e%2e/%2e%2e/etc/passwd.txt", "/ui/..%2f..%2fsecret.key",
                           "/ui//etc/passwd.txt", "/ui/assets/..%2F..%2Fx"}) {
    const auto answer = web_answer(files(), get(path));
    ASSERT_FALSE(answer) << path;
    EXPECT_EQ(answer.error().fault, Fault::not_found) << path;
  }
  const auto broken = web_answer(files(), get("/ui/%00x"));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().fault, Fault::invalid_path);
}

TEST(WebPage, CompressedFormIsChosenByAcceptEncoding) {
  const auto reply = reply_to(get("/ui/assets/app.js", {{"accept-encoding", "gzip, deflate, br"}}));
  EXPECT_EQ(reply.body, "brotli");
  EXPECT_EQ(header(reply, "Content-Encoding"), "br");
  EXPECT_EQ(header(reply, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header(reply, "Vary"), "Accept-Encoding");
  EXPECT_EQ(reply_to(get("/ui/assets/app.js", {{"accept-encoding", "gzip"}})).body, "gzip");
  EXPECT_EQ(reply_to(get("/ui/assets/app.js")).body, "plain");
  EXPECT_EQ(header(reply_to(get("/ui/assets/app.js")), "Content-Encoding"), "");

  EXPECT_EQ(coding_for("br;q=0, gzip", true, true), Coding::gzip);
  EXPECT_EQ(coding_for("br;q=0.1, gzip;q=0.9", true, true), Coding::gzip);
  EXPECT_EQ(coding_for("gzip;q=0.2, identity;q=0.5", true, true), Coding::plain);
  EXPECT_EQ(coding_for("*", true, false), Coding::brotli);
  EXPECT_EQ(coding_for("*;q=0", true, true), Coding::plain);
  EXPECT_EQ(coding_for("br;q=high", true, true), Coding::plain);
  EXPECT_EQ(coding_for("br", false, true), Coding::plain);
}

TEST(WebPage, KnownVersionIsNotSentAgain) {
  const auto first = reply_to(get("/ui/assets/app.js", {{"accept-encoding", "br"}}));
  const auto tag = header(first, "ETag");
  EXPECT_EQ(tag, "\"a1-br\"");
  const auto again =
      reply_to(get("/ui/assets/app.js", {{"accept-encoding", "br"}, {"if-none-match", "\"x\", W/" + tag}}));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(header(again, "ETag"), tag);
  // The plain form is another one.
  EXPECT_EQ(reply_to(get("/ui/assets/app.js", {{"if-none-match", tag}})).status, 200);
}

TEST(WebPage, OtherMethodsAreRefused) {
  const auto answer = web_answer(files(), {.method = "POST", .path = "/ui/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::method_not_allowed);
  const auto options = web_answer(files(), {.method = "OPTIONS", .path = "/ui/"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->status, 204);
}

TEST(WebPage, MissingFolderProblemSaysHowToGetOne) {
  const auto answer = web_answer(std::nullopt, get("/ui/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::not_found);
  EXPECT_THAT(answer.error().hint, HasSubstr("TOKENRAIL_API_WEB_DIR"));
  EXPECT_FALSE(web_answer(std::nullopt, get("/")));
}

}  // namespace
}  // namespace tokenrail::registry_api
