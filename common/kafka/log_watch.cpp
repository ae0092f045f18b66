#include "common/kafka/log_watch.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "common/kafka/admin_thread.hpp"
#include "common/kafka/log_reader.hpp"

namespace tokenrail::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds asking_max{3'000};
constexpr milliseconds reading_max{10'000};

class Watch final : public LogWatch, private LogReaderListener, public std::enable_shared_from_this<Watch> {
 public:
  Watch(boost::asio::io_context& loop, const Properties& properties)
      : loop_(loop), asking_(std::make_unique<AdminThread>(loop, properties)), reading_time_(loop) {}

  Result<void> begin(const Options& options, telemetry::Metrics& metrics) {
    auto all = options.properties;
    all.emplace_back("fetch.wait.max.ms", "100");
    // One record is wanted.
    all.emplace_back("fetch.message.max.bytes", "65536");
    all.emplace_back("queued.max.messages.kbytes", "1024");
    auto reader = LogReader::make(loop_, {.properties = std::move(all), .topics = options.topics}, *this, metrics);
    if (!reader) return std::unexpected(std::move(reader.error()));
    reader_ = std::move(*reader);
    return {};
  }

  void look(std::vector<WitnessQuestion> questions, Done done) override {
    waiting_.push_back({.questions = std::move(questions), .done = std::move(done)});
    if (waiting_.size() == 1) ask();
  }

  void end() {
    waiting_.clear();
    reading_.clear();
    found_ = nullptr;
    read_ = nullptr;
    reading_time_.cancel();
    reader_.reset();
    asking_.reset();
  }

 private:
  struct Look {
    std::vector<WitnessQuestion> questions;
    Done done;
    LogSurvey survey{};
  };

  // In the thread: where the logs begin and end, and where what is newer than each witness begins.
  void ask() {
    std::vector<Admin::PlaceQuestion> places;
    for (const auto& [partition, witness] : waiting_.front().questions) {
      places.push_back({.partition = partition});
      if (witness.offset >= 0) places.back().at_ms = witness.time_ms + 1;
    }
    survey(std::move(places), [this](Result<Admin::Survey> survey) { asked(std::move(survey)); });
  }

  template <class Then>
  void survey(std::vector<Admin::PlaceQuestion> places, Then then) {
    asking_->ask([weak = weak_from_this(), places = std::move(places),
                  then = std::move(then)](const Result<Admin*>& admin) -> AdminThread::Then {
      auto answer =
          admin ? (*admin)->survey(places, asking_max) : Result<Admin::Survey>(std::unexpected(admin.error()));
      return [weak, then, answer = std::move(answer)] {
        if (const auto self = weak.lock(); self && !self->waiting_.empty()) then(answer);
      };
    });
  }

  void asked(Result<Admin::Survey> survey) {
    if (!survey) {
      answer(std::unexpected(std::move(survey.error())));
      return;
    }
    auto& look = waiting_.front();
    look.survey.partitions = std::move(survey->partitions);
    look.survey.answers.resize(look.questions.size());
    std::vector<StartingPoint> doubtful;
    for (std::size_t i = 0; i < look.questions.size(); ++i) {
      const auto& places = survey->places[i];
      if (!places) continue;
      const auto& [partition, witness] = look.questions[i];
      const auto verdict =
          judge(witness, WitnessedLog{.first = places->first, .next = places->next, .newer = places->at});
      look.survey.answers[i] =
          WitnessAnswer{.verdict = verdict, .first = places->first, .next = places->next, .newer_from = places->next};
      if (verdict != LogVerdict::doubtful) continue;
      reading_[partition] = i;
      doubtful.push_back({.partition = partition, .offset = witness.offset});
    }
    read(
        doubtful,
        [this](std::size_t i, const std::optional<WitnessRecord>& record) {
          auto& look = waiting_.front();
          look.survey.answers[i]->verdict = judge(look.questions[i].witness, record);
        },
        [this] { place(); });
  }

  // One record of each in reading_; `then` when all are there, or the time is up.
  void read(const std::vector<StartingPoint>& points,
            std::function<void(std::size_t, const std::optional<WitnessRecord>&)> found, std::function<void()> then) {
    found_ = std::move(found);
    read_ = std::move(then);
    if (points.empty()) {
      std::exchange(read_, nullptr)();
      return;
    }
    reader_->start(points);
    reading_time_.expires_after(reading_max);
    reading_time_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      if (const auto self = weak.lock(); self && !error) self->stop_reading();
    });
  }

  void on_record(Record&& record) override {
    found({.topic = record.topic, .partition = record.partition},
          WitnessRecord{.offset = record.offset, .time_ms = record.timestamp_ms});
  }
  void on_end(const TopicPartition& partition, std::int64_t) override { found(partition, std::nullopt); }
  void on_failure(const TopicPartition& partition, const Error&) override {
    if (reading_.erase(partition) == 1 && reading_.empty()) stop_reading();
  }

  void found(const TopicPartition& partition, const std::optional<WitnessRecord>& record) {
    const auto it = reading_.find(partition);
    if (it == reading_.end() || waiting_.empty()) return;
    found_(it->second, record);
    reading_.erase(it);
    reader_->stop({partition});
    if (reading_.empty()) stop_reading();
  }

  void stop_reading() {
    reading_time_.cancel();
    std::vector<TopicPartition> left;
    for (const auto& [partition, i] : std::exchange(reading_, {})) left.push_back(partition);
    reader_->stop(left);
    if (read_) std::exchange(read_, nullptr)();
  }

  // Of each log that is another: where what can be newer begins.
  void place() {
    auto& look = waiting_.front();
    std::vector<std::size_t> of;
    std::vector<Admin::PlaceQuestion> places;
    for (std::size_t i = 0; i < look.questions.size(); ++i) {
      if (!look.survey.answers[i] || look.survey.answers[i]->verdict != LogVerdict::another) continue;
      const auto& [partition, witness] = look.questions[i];
      of.push_back(i);
      places.push_back({.partition = partition, .at_ms = witness.time_ms - broker_clocks_apart_ms});
      if (witness.time_ms < broker_clocks_apart_ms) places.back().at_ms = 0;
    }
    if (of.empty()) {
      answer(std::move(look.survey));
      return;
    }
    survey(std::move(places), [this, of](Result<Admin::Survey> survey) {
      if (!survey) {
        answer(std::unexpected(std::move(survey.error())));
        return;
      }
      auto& look = waiting_.front();
      std::vector<StartingPoint> begins;
      for (std::size_t i = 0; i < of.size(); ++i) {
        const auto& found = survey->places[i];
        auto& answer = look.survey.answers[of[i]];
        if (!found) {
          answer.reset();
          continue;
        }
        answer->first = found->first;
        answer->next = found->next;
        answer->newer_from = found->at.value_or(found->next);
        if (!found->at) continue;
        const auto& partition = look.questions[of[i]].partition;
        reading_[partition] = of[i];
        begins.push_back({.partition = partition, .offset = *found->at});
      }
      read(
          begins,
          [this](std::size_t i, const std::optional<WitnessRecord>& record) {
            if (record) waiting_.front().survey.answers[i]->newer_from_ms = record->time_ms;
          },
          [this] { answer(std::move(waiting_.front().survey)); });
    });
  }

  void answer(Result<LogSurvey> survey) {
    const auto done = std::move(waiting_.front().done);
    waiting_.pop_front();
    if (!waiting_.empty()) ask();
    done(std::move(survey));
  }

  boost::asio::io_context& loop_;
  std::unique_ptr<AdminThread> asking_;
  std::unique_ptr<LogReader> reader_;
  boost::asio::steady_timer reading_time_;
  std::deque<Look> waiting_;                       ///< the first is being asked
  std::map<TopicPartition, std::size_t> reading_;  ///< which question each is read for
  std::function<void(std::size_t, const std::optional<WitnessRecord>&)> found_;
  std::function<void()> read_;
};

class OwnedWatch final : public LogWatch {
 public:
  explicit OwnedWatch(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  ~OwnedWatch() override { watch_->end(); }
  OwnedWatch(const OwnedWatch&) = delete;
  OwnedWatch& operator=(const OwnedWatch&) = delete;
  void look(std::vector<WitnessQuestion> questions, Done done) override {
    watch_->look(std::move(questions), std::move(done));
  }

 private:
  std::shared_ptr<Watch> watch_;
};

}  // namespace

Result<std::unique_ptr<LogWatch>> LogWatch::make(boost::asio::io_context& loop, const Options& options,
                                                 telemetry::Metrics& metrics) {
  auto watch = std::make_shared<Watch>(loop, options.properties);
  if (auto begun = watch->begin(options, metrics); !begun) return std::unexpected(std::move(begun.error()));
  return std::make_unique<OwnedWatch>(std::move(watch));
}

}  // namespace tokenrail::kafka
