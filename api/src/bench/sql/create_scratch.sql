CREATE DATABASE hilt_bench TEMPLATE template0
