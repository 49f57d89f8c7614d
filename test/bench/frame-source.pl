#!/usr/bin/perl
# The benchmark's source of frames, in two parts. One feeder prints for all sessions, because 50 programs that each wake
# up 200 times a second would cost more CPU than the chain that is measured.
#
# Started as Claude Code in a session, it answers the minimum of stream-json and knows one prompt, `stream FROM UNTIL
# RATE FIFO`: it hands its terminal over to the feeder and waits.
#
# `frame-source.pl --feed FIFO SESSIONS` is the feeder. When it has SESSIONS terminals, it prints one turn into each:
# text deltas of about 300 bytes from FROM to UNTIL, RATE a second and session, evenly spread. Times are seconds of
# CLOCK_MONOTONIC, which all processes of a machine share. Each delta begins with @ and the microsecond at which it was
# printed. The feeder ends with its parent.
use strict;
use warnings;
use Fcntl qw(O_RDWR O_WRONLY O_NOCTTY);
use POSIX qw(mkfifo);
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

my $usage = '"usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}';

if (@ARGV == 3 && $ARGV[0] eq '--feed') { feed($ARGV[1], $ARGV[2]) }
elsif (grep { $_ eq '--version' } @ARGV) { print "2.1.329 (Claude Code stand-in: bench source)\n" }
else                                     { be_held() }

sub be_held {
    my ($session) = join("\n", @ARGV) =~ /^--(?:session-id|resume)\n(.*)$/m;
    my $terminal = readlink '/proc/self/fd/1';
    while (defined(my $line = <STDIN>)) {
        if ($line =~ /"control_request".*"request_id":"([^"]+)"/) {
            out(\*STDOUT, qq({"type":"control_response","response":{"subtype":"success","request_id":"$1","response":{"commands":[]}}}));
        }
        elsif ($line =~ /"type":"user".*"uuid":"([^"]+)".*"stream ([\d.]+) ([\d.]+) (\d+) ([^"]+)"/) {
            sysopen my $fifo, $5, O_WRONLY or die "$5: $!";
            out($fifo, "$terminal $session $1 $2 $3 $4");
        }
    }
}

sub feed {
    my ($path, $sessions) = @_;
    my $parent = getppid;
    mkfifo($path, 0600) or die "$path: $!";
    # Opened for writing too, so that reading never reaches end of file.
    sysopen my $fifo, $path, O_RDWR or die "$path: $!";
    my ($buffer, @turns) = ('');
    while (getppid == $parent) {
        vec(my $ready = '', fileno $fifo, 1) = 1;
        next unless select $ready, undef, undef, 1;
        sysread $fifo, $buffer, 4096, length $buffer;
        while ($buffer =~ s/^(.*)\n//) { push @turns, begin_turn(split / /, $1) }
        next if @turns < $sessions;
        stream(@turns);
        @turns = ();
    }
}

sub stream {
    my @turns = @_;
    my ($from, $until, $rate) = @{ $turns[0] }{qw(from until rate)};
    for (my $count = 0 ; ; $count++) {
        my $at = $from + $count / ($rate * @turns);
        last if $at >= $until;
        my $wait = $at - clock_gettime(CLOCK_MONOTONIC);
        sleep($wait) if $wait > 0;
        my $turn = $turns[ $count % @turns ];
        my $text = sprintf '@%d a few words', clock_gettime(CLOCK_MONOTONIC) * 1e6;
        event($turn, qq({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"$text"}}));
        $turn->{said} .= $text;
    }
    end_turn($_) for @turns;
}

my $messages = 0;

sub begin_turn {
    my ($terminal, $session, $prompt, $from, $until, $rate) = @_;
    sysopen my $out, $terminal, O_WRONLY | O_NOCTTY or die "$terminal: $!";
    my $message = sprintf 'msg_bench%016d', ++$messages;
    my $named = qq("user_message_uuid":"$prompt","user_message_uuids":["$prompt"]);
    my $turn = {
        out => $out, session => $session, message => $message, named => $named, said => '', count => 0,
        from => $from, until => $until, rate => $rate,
    };
    out($out, qq({"type":"system","subtype":"init","cwd":"/","session_id":"$session","tools":[],"mcp_servers":[],"model":"bench-source","permissionMode":"default","apiKeySource":"none","claude_code_version":"2.1.329",$named}));
    event($turn, qq({"type":"message_start","message":{"id":"$message","type":"message","role":"assistant","model":"bench-source","content":[],"stop_reason":null,"stop_sequence":null,$usage}}));
    event($turn, '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}');
    return $turn;
}

sub end_turn {
    my ($turn) = @_;
    my ($out, $session, $message, $named, $said) = @$turn{qw(out session message named said)};
    out($out, qq({"type":"assistant","message":{"id":"$message","type":"message","role":"assistant","model":"bench-source","content":[{"type":"text","text":"$said"}],"stop_reason":null,"stop_sequence":null,$usage},"parent_tool_use_id":null,"session_id":"$session"}));
    event($turn, '{"type":"content_block_stop","index":0}');
    event($turn, qq({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},$usage}));
    event($turn, '{"type":"message_stop"}');
    out($out, qq({"type":"result","subtype":"success","is_error":false,"result":"$said","stop_reason":"end_turn","num_turns":1,"duration_ms":1,"total_cost_usd":0,"terminal_reason":"completed","session_id":"$session",$usage,$named}));
    close $out;
}

sub event {
    my ($turn, $event) = @_;
    my $uuid = sprintf '%08x-0000-4000-8000-%012x', $$, ++$turn->{count};
    out($turn->{out}, qq({"type":"stream_event","event":$event,"session_id":"$turn->{session}","parent_tool_use_id":null,"uuid":"$uuid","api_message_id":"$turn->{message}"}));
}

sub out {
    my ($to, $line) = @_;
    my $rest = "$line\n";
    while ($rest ne '') {
        my $written = syswrite $to, $rest;
        die "cannot print: $!" unless defined $written;
        substr($rest, 0, $written) = '';
    }
}
