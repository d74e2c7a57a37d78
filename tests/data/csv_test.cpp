#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "thalweg/data/dataset.hpp"

namespace thalweg {
namespace {

/// A file of this test's own that holds `text`.
std::string file_of(const std::string& text) {
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  const auto file = std::filesystem::path(testing::TempDir()) / ("thalweg_csv_" + name + ".csv");
  std::ofstream(file, std::ios::binary) << text;
  return file.string();
}

/// Every row trains, unless a test holds some out.
DataSpec table(const std::string& text, const std::string& label_column = "") {
  DataSpec spec;
  spec.kind = "csv";
  spec.file = file_of(text);
  spec.label_column = label_column;
  spec.validation_share = spec.test_share = 0;
  return spec;
}

std::string refusal(const DataSpec& spec) {
  try {
    make_dataset(spec);
  } catch (const std::invalid_argument& error) {
    const std::string what = error.what();
    const auto file = what.find(spec.file);
    return spec.file.empty() || file == std::string::npos ? what
                                                          : std::string(what).replace(file, spec.file.size(), "FILE");
  }
  return "accepted";
}

/// 40 rows with header: a random-looking column, a column with a trend, and a class of three names.
std::string forty_rows() {
  std::string text = "age,height,species\n";
  for (int i = 0; i < 40; ++i)
    text += std::to_string(i * i % 37) + "," + std::to_string(150 + 0.5 * i) +
            (i % 3 == 0   ? ",cat"
             : i % 3 == 1 ? ",ant"
                          : ",bee") +
            "\n";
  return text;
}

TEST(Csv, ReadsAHeaderAndTextClasses) {
  const Dataset data = make_dataset(table(forty_rows()));
  EXPECT_EQ(data.feature_names, (std::vector<std::string>{"age", "height"}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"ant", "bee", "cat"}));
  EXPECT_EQ(data.train.size(), 40);
  EXPECT_EQ(std::count(data.train.clean.begin(), data.train.clean.end(), 2), 14);
  EXPECT_EQ(data.train.fragment, std::vector<int>(40, 0));
}

TEST(Csv, ReadsATableWithoutHeaderAndSortsIntegerClassesAsNumbers) {
  const Dataset data = make_dataset(table("1,2.5,10\n2,+3e1,9\n4,-1,-1\n"));
  EXPECT_EQ(data.feature_names, (std::vector<std::string>{"x0", "x1"}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"-1", "9", "10"}));
  EXPECT_EQ(data.train.size(), 3);
}

TEST(Csv, ReadsQuotedCellsCrlfBlankLinesAndAByteOrderMark) {
  const Dataset data = make_dataset(
      table("\xEF\xBB\xBF\"size, \"\"inner\"\"\",kind\r\n\r\n\"1\",\"a,\nb\"\r\n  2 , c \r\n\r\n3,\"a,\nb\""));
  EXPECT_EQ(data.feature_names, std::vector<std::string>{"size, \"inner\""});
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"a,\nb", "c"}));
  EXPECT_EQ(data.train.size(), 3);
}

TEST(Csv, FindsTheLabelByNameAndByPosition) {
  const std::string text = "kind,a,b\nu,1,2\nv,2,3\nu,5,9\n";
  for (const std::string column : {"kind", "1"}) {
    const Dataset data = make_dataset(table(text, column));
    EXPECT_EQ(data.feature_names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(data.class_names, (std::vector<std::string>{"u", "v"}));
  }
  EXPECT_EQ(make_dataset(table("2019,2020,kind\n1,2,u\n3,4,v\n", "kind")).train.size(), 2);
  EXPECT_EQ(refusal(table(text, "kin")), "data.label_column: no 'kin' in the first row; did you mean kind?");
  EXPECT_EQ(refusal(table(text, "4")), "data.label_column: 4 is not in 1 to 3, the columns of the file");
}

TEST(Csv, NamesAMalformedRowByItsLine) {
  EXPECT_EQ(refusal(table("a,b,y\n1,2,u\n\n3,,v\n")), "FILE, line 4, column 2 (b): missing value");
  EXPECT_EQ(refusal(table("1,,u\n3,4,v\n")), "FILE, line 1, column 2 (x1): missing value");
  EXPECT_EQ(refusal(table("a,b,y\n1,2,u\n3,4,\n")), "FILE, line 3, column 3 (y): missing value");
  EXPECT_EQ(refusal(table("a,b,y\n1,2,u\n3,v\n")), "FILE, line 3: 2 cells where the first row has 3");
  EXPECT_EQ(refusal(table("a,b,y\n1,\"2\",u\n3,tall,v\n")), "FILE, line 3, column 2 (b): 'tall' is not a number");
  EXPECT_EQ(refusal(table("a,y\n\"1\n2\",u\n3,\"v\n")), "FILE, line 4: a quote is never closed");
  EXPECT_EQ(refusal(table("a,y\n\"1\"2,u\n")), "FILE, line 2: '2' follows a closing quote");
}

TEST(Csv, RefusesATableThatCannotBeLearnt) {
  EXPECT_EQ(refusal(table("")), "data.file: 'FILE' is empty");
  EXPECT_EQ(refusal(table("1\n2\n")),
            "FILE, line 1: one column; a table needs features and a label, separated by commas");
  EXPECT_EQ(refusal(table("a,y\n1,u\n2,u\n")),
            "data.file: column 'y' of 'FILE' holds 1 classes, at least 2 are needed");
  EXPECT_EQ(refusal(table("a,b,y\n1,7,u\n2,7,v\n")),
            "data.file: column 'b' of 'FILE' is constant on the training split");
  DataSpec spec = table("1,0\n2,1\n3,0\n");
  spec.test_share = 0.1;
  EXPECT_EQ(refusal(spec).substr(0, 40), "data.file: 'FILE' has 3 rows, too few to");
  spec.test_share = 1;
  EXPECT_EQ(refusal(spec), "data.validation_share, data.test_share: 0 and 1 are not in [0, 1) with a sum below 1");
  spec.file = "";
  spec.test_share = 0;
  EXPECT_EQ(refusal(spec), "data.file: data.kind = csv needs a file");
}

TEST(Csv, FailsOnAFileThatIsNotThere) {
  DataSpec spec = table("1,0\n");
  spec.file += ".absent";
  EXPECT_THROW(make_dataset(spec), std::runtime_error);
}

// 24 numbers of size 1: rounding of their mean and variance is below 24 * 2e-16, before cancellation by offsets of
// 150/6.
TEST(Csv, StandardisesOnTheTrainingSplit) {
  DataSpec spec = table(forty_rows());
  spec.validation_share = 0.15;
  spec.test_share = 0.25;
  const Dataset data = make_dataset(spec);
  EXPECT_EQ(data.train.size(), 24);
  EXPECT_EQ(data.validation.size(), 6);
  EXPECT_EQ(data.test.size(), 10);
  for (Index j = 0; j < 2; ++j) {
    EXPECT_NEAR(data.train.x.col(j).mean(), 0, 1e-13);
    EXPECT_NEAR(data.train.x.col(j).squaredNorm() / 24, 1, 1e-13);
    EXPECT_LE(data.low[j], data.test.x.col(j).minCoeff());
    EXPECT_GE(data.high[j], data.test.x.col(j).maxCoeff());
  }
}

TEST(Csv, KeepsTheTestRowsWhateverTheValidationShare) {
  DataSpec spec = table(forty_rows());
  spec.test_share = 0.25;
  const auto before = make_dataset(spec).test.clean;
  spec.validation_share = 0.3;
  EXPECT_EQ(make_dataset(spec).test.clean, before);
  spec.seed = 5;
  EXPECT_NE(make_dataset(spec).test.clean, before);
}

TEST(Csv, TakesSymmetricNoiseAndRefusesBoundaryNoise) {
  DataSpec spec = table(forty_rows());
  spec.noise = 0.5;
  const Dataset data = make_dataset(spec);
  EXPECT_GT(data.noise_realised, 0);
  EXPECT_LT(*std::max_element(data.train.label.begin(), data.train.label.end()), 3);
  spec.noise_kind = "boundary";
  EXPECT_EQ(refusal(spec),
            "data.noise_kind: 'boundary' needs a known decision boundary, which data.kind = csv does not have; use "
            "symmetric or class");
}

}  // namespace
}  // namespace thalweg
