// What a reader of the registry's compacted topics holds after some records.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace tokenrail::registry_sync {

class TopicReader {
 public:
  TopicReader();
  TopicReader(TopicReader&&) noexcept;
  TopicReader& operator=(TopicReader&&) noexcept;
  ~TopicReader();

  void apply(const std::string& key, const std::optional<std::string>& value);
  /// What its projection holds, and the last sealed text of each credential, by key. Without who made a record and why,
  /// which the database does not have for every kind.
  [[nodiscard]] std::map<std::string, std::string> facts() const;
  /// Whether the projection has a default, an alias, grants and an organisation of acme.
  [[nodiscard]] bool has_each_kind() const;

 private:
  struct Held;
  std::unique_ptr<Held> held_;
};

}  // namespace tokenrail::registry_sync
