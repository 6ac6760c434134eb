# libeigen3-dev: the engine "eigen" of linear. 3.4 and 5 will do, which no request of find_package says:
# 3.4 alone means 3.x, and a range over two major versions is refused by the 3.4.0 that Debian has.
find_package(Eigen3 REQUIRED NO_MODULE)
if(Eigen3_VERSION VERSION_LESS 3.4 OR Eigen3_VERSION VERSION_GREATER_EQUAL 6)
  message(FATAL_ERROR
    "klue_roberta needs Eigen 3.4 or 5; ${Eigen3_DIR} is ${Eigen3_VERSION}. -DEigen3_DIR=… names another.")
endif()
