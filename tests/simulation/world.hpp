// One history: the world that a plan describes, run to its end.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/simulation/broker.hpp"
#include "tests/simulation/coordinator.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/plan.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/trace.hpp"

namespace tokenrail::simulation {

class World {
 public:
  /// `adjust`: for histories that need the core set up in another way.
  explicit World(const Plan& plan, bool spoken = false, const std::function<void(router::RouterOptions&)>& adjust = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Runs the plan to its end and judges it. Nothing: every promise was kept.
  std::optional<Violation> run();

  // For directed histories: the plan's workers and requests come when they are asked for.
  Process& start_worker(int slot);
  /// Sends that request now; returns its offset.
  std::int64_t send_request(std::size_t index);
  void cancel_request(std::size_t index);
  /// Sends a request that is not in the plan, without a key; the provider treats it as that one of the plan.
  void send_another(int partition, const std::string& request_id, std::size_t like);
  /// Lets things happen until the condition holds; false: it did not within that (simulated) time.
  bool run_until(const std::function<bool()>& condition, Micros within = Micros(60'000'000));
  /// Faults stop, everything is well again, and the history is run to its end and judged.
  std::optional<Violation> heal_and_finish();
  /// The process dies. `restart`: another takes its place after that time.
  void crash(int process, std::uint64_t seed, std::optional<Micros> restart);

  /// The topic is deleted and created again: its logs are empty, and what was committed for the requests is gone.
  void replace(Topic topic);
  /// That partition of the topic takes nothing (-1: none of it does), until it is opened or all is well.
  void close_lane(Topic topic, int partition) { ++closed_lanes_[{topic, partition}]; }
  void open_lane(Topic topic, int partition);
  /// An unclean election: that log loses what lies at and behind that offset.
  void take_back(Topic topic, int partition, std::int64_t to);

  /// Not 0: the logs keep only so many records, and the oracle, which remembers all, is not asked.
  std::size_t kept = 0;

  Scheduler scheduler{};
  const Plan plan;
  Trace trace;
  Broker broker;
  Oracle oracle;
  /// Records that a broker does not take. Whoever sent such a record must not live to hear of it.
  std::function<bool(Topic, const Entry&)> refuses{};
  Coordinator coordinator;
  router::RouterOptions options{};

  [[nodiscard]] Process* process(int id) const;
  [[nodiscard]] Process* in_slot(int slot) const;
  [[nodiscard]] bool healing() const { return healing_; }
  /// That partition of the topic takes nothing at present.
  [[nodiscard]] bool lane_closed(Topic topic, int partition) const;
  [[nodiscard]] bool provider_down() const { return providers_down_ > 0; }
  /// The name in that address cannot be resolved.
  [[nodiscard]] bool no_such_host(const std::string& url) const;
  /// Whoever starts now does not come to the end of chat.cancellations, however well everything else is.
  [[nodiscard]] bool cancellations_unread() const { return cancellations_unread_; }
  /// Whoever starts now does not come to the end of the registry before that time.
  [[nodiscard]] Micros registry_read_at() const { return registry_read_at_; }
  [[nodiscard]] std::int64_t calendar_ms() const;
  /// The same as that process sees it; nothing: its calendar is another.
  [[nodiscard]] std::optional<std::int64_t> calendar_of(int writer) const;
  /// The process whose commit for that partition landed last; -1: none has.
  [[nodiscard]] int newest_committer(int partition) const;
  /// How often the provider has been called for that request.
  [[nodiscard]] int& calls_of(std::size_t request);
  [[nodiscard]] std::size_t request_with_marker(const std::string& body) const;
  [[nodiscard]] std::string org_of(std::size_t request) const;
  [[nodiscard]] std::string id_of(std::size_t request) const;

  // What the parts tell.
  void append(Topic topic, int partition, Entry entry, int writer);
  /// Records of a process that nobody waits for any more may still arrive, one after the other, or never.
  void leave_residue(Topic topic, int partition, std::vector<Outgoing> records, int writer, std::uint64_t seed);
  /// An event that a fault may be waiting for.
  void moment(Moment moment, int process);
  /// The provider is called for that request: its time must not be over.
  void judge_deadline(std::size_t request);
  /// `version`: Log::version of the requests when it was made.
  void commit_lands(int partition, std::int64_t offset, const std::string& metadata, int process, std::int64_t version);
  void bury(int process);
  /// The process ended by itself; another takes its place where the plan is not over.
  void exited(int process);

 private:
  struct Residue {
    Topic topic;
    int partition;
    std::deque<Outgoing> records;
    int writer;
    Random random;
  };

  void schedule_plan();
  void strike(const Fault& fault, int involved);
  void strike_process(const Fault& fault, Process& process);
  void tamper(const Fault& fault);
  void cut(const Fault& fault);
  void cut_requests(const Fault& fault);
  void gate_for(Process& process, Gate gate, Micros time);
  void close_lanes(const Fault& fault);
  void take_back(const Fault& fault);
  void leave_unread(const Fault& fault);
  void log_is_another(Topic topic, int partition, std::int64_t to);
  void refuse(const Fault& fault, Process& process);
  void residue_step(std::size_t index);
  void restart(int slot, Micros delay);
  void heal();
  [[nodiscard]] bool at_rest() const;
  std::optional<Violation> finish();
  void tell_oracle(Topic topic, int partition, std::int64_t offset, const Entry& entry, int writer);
  [[nodiscard]] std::int64_t deadline_of(std::size_t request);
  void judge_moment(Topic topic, std::string_view value, int writer);
  static std::string brief(Topic topic, std::string_view value);

  std::vector<std::unique_ptr<Process>> processes_{};  ///< by id; empty: dead
  std::vector<Residue> residues_{};
  std::array<std::int64_t, static_cast<std::size_t>(Moment::count)> moments_{};
  std::map<std::pair<Moment, std::int64_t>, std::vector<std::size_t>> waiting_faults_{};
  std::map<std::size_t, int> calls_{};
  std::map<int, int> committers_{};                   ///< by partition
  std::map<std::size_t, std::int64_t> sent_at_ms_{};  ///< by request
  std::size_t requests_sent_ = 0;
  int cancellations_due_ = 0;
  int providers_down_ = 0;
  std::map<std::pair<Topic, int>, int> closed_lanes_{};  ///< partition -1: the whole topic
  int restarts_due_ = 0;
  std::string lost_host_{};  ///< empty: all names can be resolved
  bool cancellations_unread_ = false;
  Micros registry_read_at_{0};
  Micros noticed_at_{0};  ///< not before that time does every worker know which logs are others
  bool healing_ = false;
};

}  // namespace tokenrail::simulation
